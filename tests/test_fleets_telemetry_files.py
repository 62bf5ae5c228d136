"""Samples are appended while a run goes on, a line whole or not at all, and never stop it."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from harness.fleets.telemetry_files import Begun, Compared, Samples, TelemetryFiles, files_of, lines_of
from harness.timeline import Offset

BEGUN = Begun(run_s=2.0, since_s=0.0)
COMPARED = Compared(at_s=10.0, offset=Offset(offset_s=-8.0, uncertainty_s=0.1))
SAMPLES = Samples(run_s=3.0, source="nvml", fields=("at_s", "total_w"), rows=((10.0, 50.5), (10.1, None)))


def test_lines_come_back_as_they_were_appended(tmp_path: Path) -> None:
    files = TelemetryFiles(tmp_path)
    for line in (BEGUN, SAMPLES, COMPARED):
        files.append("a", line)
    files.append("b", BEGUN)
    there = files_of(tmp_path)
    assert list(there) == ["a", "b"]
    assert list(lines_of(there["a"])) == [BEGUN, SAMPLES, COMPARED]
    assert not files.lost


def test_lines_of_one_moment_are_kept_together_or_lost_together(tmp_path: Path) -> None:
    files = TelemetryFiles(tmp_path)
    files.append("a", BEGUN, COMPARED)
    assert list(lines_of(files_of(tmp_path)["a"])) == [BEGUN, COMPARED]
    (tmp_path / "telemetry" / "b.jsonl").mkdir()
    files.append("b", BEGUN, COMPARED)
    assert files.lost == {"b": 2}


def test_a_later_controller_appends_behind_the_last_whole_line(tmp_path: Path) -> None:
    TelemetryFiles(tmp_path).append("a", SAMPLES)
    path = files_of(tmp_path)["a"]
    with path.open("ab") as file:
        file.write(b'{"line": "sam')
    TelemetryFiles(tmp_path).append("a", COMPARED)
    assert list(lines_of(path)) == [SAMPLES, COMPARED]


def test_a_damaged_line_is_passed_over_and_told_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    files = TelemetryFiles(tmp_path)
    files.append("a", BEGUN)
    path = files_of(tmp_path)["a"]
    path.write_bytes(path.read_bytes() + b'{"line": "other"}\n\xff\n')
    files.append("a", SAMPLES)
    with caplog.at_level(logging.WARNING):
        assert list(lines_of(path)) == [BEGUN, SAMPLES]
    assert [f"line {number} is damaged" in caplog.text for number in (1, 2, 3, 4)] == [False, True, True, False]


def test_what_cannot_be_written_is_counted_and_the_run_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "telemetry").write_text("a file where a folder should be")
    files = TelemetryFiles(tmp_path)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            files.append("a", SAMPLES)
    assert files.lost == {"a": 3}
    assert len(caplog.records) == 1
    assert "the run goes on without it" in caplog.text
