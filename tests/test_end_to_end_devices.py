"""A run on boards, as a lab has it: what their sensors told becomes energy, a table, a report and a trace."""

from __future__ import annotations

import csv
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from benchtools import NULL, bench, rounds, until
from device_stage import Stage, boards
from made_board import MadeBoard
from pyarrow import compute, parquet
from trace_rules import complete_by_track, problems

BOARDS = ("orin-1", "orin-2")
SMALL = [*NULL, "--set", "agents.count=1", "--set", "train.null_state_bytes=200000"]
"""One agent, without training; a task takes seven tenths of a second."""


@dataclass(frozen=True)
class Lab:
    """A run that is done, and the boards of its agents."""

    run: Path
    boards: dict[str, MadeBoard]

    def updates(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.run / "clients.jsonl").read_text().splitlines()]

    def devices(self) -> dict[str, dict[str, Any]]:
        told: dict[str, dict[str, Any]] = json.loads((self.run / "header.json").read_text())["devices"]
        return told

    def samples(self) -> pa.Table:
        return parquet.read_table(self.run / "telemetry.parquet")

    def report(self) -> str:
        return (self.run / "report.html").read_text()

    def undisturbed(self) -> bool:
        """Whether each board had a moment for its doctor, and no sampler was held up for half a second."""
        return set(self.devices()) == {*BOARDS, "controller"} and not any(
            "gap" in update["vitals"]["flags"] for update in self.updates()
        )


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """Two rounds of real training on two boards; once more where this machine was too busy to see them well."""
    for _ in range(4):
        folder = tmp_path_factory.mktemp("lab")
        with boards(folder / "boards", *BOARDS) as made, Stage(folder, ["--rounds", "2"]) as stage:
            for name, board in made.items():
                stage.agent(name, board)
            found = Lab(stage.finish(), made)
        if found.undisturbed():
            break
    return found


def test_the_energy_of_each_update_is_the_integral_of_what_its_board_showed(lab: Lab) -> None:
    for update in lab.updates():
        board, begin_s = lab.boards[update["agent"]], update["timeline"]["arrived_s"]
        shown_j = board.shown_j(board.total, begin_s, begin_s + update["total_s"])
        assert update["energy_j"] == pytest.approx(shown_j, rel=0.005)
        assert update["vitals"]["flags"] == []
    assert {update["agent"] for update in lab.updates()} == set(BOARDS)


def test_the_energy_of_a_round_is_the_sum_of_its_updates(lab: Lab) -> None:
    for record in rounds(lab.run):
        parts = [each["energy_j"] for each in lab.updates() if each["round"] == record.round]
        assert len(parts) == len(record.completed)
        assert record.energy_j == pytest.approx(sum(parts))


def test_the_table_holds_the_samples_of_all_tasks_on_the_run_s_clock_and_of_nobody_else(lab: Lab) -> None:
    table = lab.samples()
    assert set(table["agent"].to_pylist()) == {*BOARDS, "controller"}
    assert table["run_s"].null_count == 0
    for name in BOARDS:
        own = table.filter(compute.equal(table["agent"], name))
        at_s = own["at_s"].to_pylist()
        assert set(own["source"].to_pylist()) == {"ina3221"}
        assert at_s == sorted(set(at_s)), "none twice, none out of order"
        for update in lab.updates():
            if update["agent"] == name:
                begin_s = update["timeline"]["arrived_s"]
                within = [stamp for stamp in at_s if begin_s <= stamp <= begin_s + update["total_s"]]
                assert len(within) == update["vitals"]["samples"]


def test_the_header_tells_of_every_device_and_of_the_doctor_s_visit(lab: Lab) -> None:
    devices = lab.devices()
    assert set(devices) == {*BOARDS, "controller"}
    for name in BOARDS:
        assert devices[name]["device"]["board"] == "NVIDIA Jetson AGX Orin Developer Kit"
        assert devices[name]["device"]["power_mode"] == "MODE_30W"
    doctors = {name: {finding["name"]: finding for finding in told["doctor"]} for name, told in devices.items()}
    assert all("python" in doctor and "disk" in doctor for doctor in doctors.values())
    assert "cache" in doctors["orin-1"]["disk"]["says"]
    assert str(lab.run.parent.parent / "cache-orin-1") in doctors["orin-1"]["disk"]["says"]


def test_the_report_shows_energy_to_each_fraction_the_devices_and_rounds_over_time(lab: Lab) -> None:
    report = lab.report()
    for words in ("Energy to 90 %, 95 % and 99 % of accuracy 0.2", "Rounds by agent", "round 1 (first", "MODE_30W"):
        assert words in report, words
    (row,) = csv.DictReader((lab.run / "tables" / "energy-to-target.csv").read_text().splitlines())
    first_j = rounds(lab.run)[0].energy_j
    for fraction in (90, 95, 99):
        assert (row[f"to_{fraction}_round"], float(row[f"to_{fraction}_devices_j"])) == ("1", first_j)


def test_the_trace_is_one_that_viewers_open(lab: Lab, tmp_path: Path) -> None:
    result = bench("export", str(lab.run), "--trace", "trace.json", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    trace = json.loads((tmp_path / "trace.json").read_bytes())
    assert problems(trace) == []
    tracks = complete_by_track(trace["traceEvents"]).values()
    tasks = [each for track in tracks for each in track if each["cat"] == "task"]
    assert len(tasks) == len(lab.updates())
    assert trace["otherData"]["tasks_placed_by_arrival"] == 0


def test_where_a_rail_misses_no_energy_is_told_and_the_report_says_why(tmp_path: Path) -> None:
    options = [*SMALL, "--rounds", "1"]
    with boards(tmp_path / "boards", "orin-1") as made, Stage(tmp_path, options) as stage:
        made["orin-1"].take_away("VDD_CPU_CV")
        stage.agent("orin-1", made["orin-1"])
        lab = Lab(stage.finish(), made)
    for update in lab.updates():
        assert update["energy_j"] is None
        assert "missing rail" in update["vitals"]["flags"]
        assert update["vitals"]["rails_j"]["VDD_CPU_CV"] is None
    assert [record.energy_j for record in rounds(lab.run)] == [None]
    assert "a rail that the total needs is missing (4 updates of orin-1)" in lab.report()


def test_where_the_disk_takes_no_more_samples_the_run_s_results_are_all_there(tmp_path: Path) -> None:
    options = [*SMALL, "--rounds", "2"]
    with boards(tmp_path / "boards", "orin-1") as made, Stage(tmp_path, options) as stage:
        until(lambda: list(tmp_path.glob("runs/*/telemetry")), "the folder of samples")
        with small_disk(stage.run / "telemetry"):
            stage.agent("orin-1", made["orin-1"])
            lab = Lab(stage.finish(), made)
    assert [len(record.completed) for record in rounds(lab.run)] == [4, 4]
    assert all(update["energy_j"] is not None for update in lab.updates())
    assert json.loads((lab.run / "header.json").read_text())["state"] == "done"
    said = stage.log.read_text()
    assert said.count("telemetry of orin-1 could not be kept (No space left on device)") == 1
    assert "Traceback" not in said


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """A page or two of a file system of its own at a folder, until the end."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small file system cannot be mounted here (needs root)")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
