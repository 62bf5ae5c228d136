"""All samples of a run as one table."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyarrow import parquet

from harness.errors import StoreError
from harness.fleets import telemetry_table
from harness.fleets.telemetry_files import AnyLine, Begun, Compared, Samples, TelemetryFiles, files_of
from harness.fleets.telemetry_table import TABLE, remove_files, tabulate, write_table
from harness.timeline import Offset


def compared(at_s: float, offset_s: float) -> Compared:
    return Compared(at_s=at_s, offset=Offset(offset_s=offset_s, uncertainty_s=0.001))


def samples(source: str, field: str, *rows: tuple[float, float | None]) -> Samples:
    return Samples(run_s=0.0, source=source, fields=("at_s", field), rows=rows)


def run_with(folder: Path, **lines: list[AnyLine]) -> Path:
    files = TelemetryFiles(folder)
    for agent, theirs in lines.items():
        for line in theirs:
            files.append(agent, line)
    return folder


def columns(run: Path) -> dict[str, list[object]]:
    return parquet.read_table(run / TABLE).to_pydict()


def test_samples_of_all_agents_stand_in_one_table_on_the_runs_clock(tmp_path: Path) -> None:
    first, again = Begun(run_s=1.0, since_s=0.0), Begun(run_s=50.0, since_s=40.0)
    run = run_with(
        tmp_path,
        b=[first, samples("psutil", "cpu_hz", (7.0, 1e9))],
        a=[
            first,
            samples("ina3221", "total_w", (100.0, 5.0), (101.0, None)),
            compared(100.5, -99.0),
            again,
            samples("ina3221", "total_w", (20.0, 6.0), (41.0, 7.0)),
            compared(41.0, 5.0),
        ],
    )
    assert write_table(run) == run / TABLE
    assert columns(run) == {
        "agent": ["a", "a", "a", "a", "b"],
        "source": ["ina3221"] * 4 + ["psutil"],
        "at_s": [100.0, 101.0, 20.0, 41.0, 7.0],
        "run_s": [1.0, 2.0, None, 46.0, None],
        "cpu_hz": [None, None, None, None, 1e9],
        "total_w": [5.0, None, 6.0, 7.0, None],
    }


def test_a_table_is_written_in_groups_and_holds_every_row(tmp_path: Path) -> None:
    count = telemetry_table.GROUP_ROWS * 2 + 1
    rows = [(float(number), float(number)) for number in range(count)]
    lines: list[AnyLine] = [samples("nvml", "total_w", *rows[begin : begin + 500]) for begin in range(0, count, 500)]
    run = run_with(tmp_path, a=lines)
    write_table(run)
    assert columns(run)["at_s"] == [float(number) for number in range(count)]
    assert parquet.ParquetFile(run / TABLE).num_row_groups == 3


def test_a_run_without_samples_has_no_table(tmp_path: Path) -> None:
    assert write_table(tmp_path) is None
    assert write_table(run_with(tmp_path, a=[Begun(run_s=1.0, since_s=0.0), compared(1.0, 1.0)])) is None
    assert not (tmp_path / TABLE).exists()


def test_the_files_are_kept_until_there_is_a_table(tmp_path: Path) -> None:
    run = run_with(tmp_path, a=[samples("nvml", "total_w", (1.0, 2.0))])
    remove_files(run)
    assert list(files_of(run)) == ["a"]
    write_table(run)
    remove_files(run)
    assert files_of(run) == {}


def test_a_table_that_cannot_be_written_is_told_with_how_to_go_on(tmp_path: Path) -> None:
    run = run_with(tmp_path, a=[samples("nvml", "total_w", (1.0, 2.0))])
    (run / TABLE).mkdir()
    with pytest.raises(StoreError, match=r"telemetry.parquet could not be written.*federa-bench resume"):
        tabulate(run)
    assert list(files_of(run)) == ["a"]
    assert sorted(path.name for path in run.iterdir()) == ["telemetry", TABLE]
