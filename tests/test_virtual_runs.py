"""Whole runs of a virtual fleet: the weights of real agents, the seconds of the profiles."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
from benchtools import TINY, bench, hashes, only_run, rounds, started, until
from run_folders import experiment, header

from harness.store import RunFolder

VIRTUAL = ["--fleet", "virtual", "--method", "federa"]
ONE_SECOND = ["--set", "device.server.aggregate_s=1"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished tiny run on virtual devices over a virtual link; aggregating counts as a second."""
    folder = tmp_path_factory.mktemp("virtual")
    result = bench("run", TINY, *VIRTUAL, *ONE_SECOND, "--set", "link=lte-10", cwd=folder)
    assert result.returncode == 0, result.stderr
    return only_run(folder / "runs")


def test_real_agents_and_virtual_ones_give_the_same_bits_in_each_round(finished: Path, tmp_path: Path) -> None:
    real = bench("run", TINY, "--method", "federa", cwd=tmp_path)
    assert real.returncode == 0, real.stderr
    assert len(hashes(finished)) == 3
    assert hashes(only_run(tmp_path / "runs")) == hashes(finished)


def test_a_round_counts_as_its_slowest_device_and_the_server_s_second(finished: Path) -> None:
    header = json.loads((finished / "header.json").read_text())
    assert header["clock"] == "critical path"
    assert header["warnings"] == []  # each device is one of its own
    assert header["agents"] == [f"device-{number}" for number in range(1, 5)]
    assert header["ship_s"] > 0
    for record in rounds(finished):
        assert record.aggregate_s == 1
        assert record.round_s == pytest.approx(record.wall_s)
        assert record.wire_bytes is None


def test_a_killed_virtual_run_goes_on_to_the_same_weights(finished: Path, tmp_path: Path) -> None:
    with started("run", TINY, *VIRTUAL, cwd=tmp_path) as process:
        until(lambda: (tmp_path / "runs").exists() and any((tmp_path / "runs").glob("*/rounds.jsonl")), "a round")
        process.send_signal(signal.SIGKILL)
        process.wait()
    resumed = bench("resume", str(only_run(tmp_path / "runs")), cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    assert hashes(only_run(tmp_path / "runs")) == hashes(finished)


def learned(run: Path) -> list[dict[str, object]]:
    """What the records of clients tell but for seconds, processor time and memory, in the order of clients."""
    measured = ("timeline", "train_cpu_s", "peak_rss_bytes", "download_bps", "upload_bps", "warm_up")
    records = [json.loads(line) for line in (run / "clients.jsonl").read_text().splitlines()]
    kept = [{k: v for k, v in record.items() if k not in measured and k[-2:] != "_s"} for record in records]
    return sorted(kept, key=lambda record: (record["round"], record["client"]))


def test_processes_side_by_side_give_the_same_bits(finished: Path, tmp_path: Path) -> None:
    beside = ["--set", "simulation.processes=2", "--set", "link=lte-10"]
    result = bench("run", TINY, *VIRTUAL, *ONE_SECOND, *beside, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    run = only_run(tmp_path / "runs")
    assert hashes(run) == hashes(finished)
    assert learned(run) == learned(finished)
    assert len(list((run / "work" / "logs").glob("trainer-*.log"))) == 2
    (warning,) = json.loads((run / "header.json").read_text())["warnings"]
    assert "2 at a time on this machine" in warning


def test_a_table_that_does_not_know_the_run_is_said_before_anything_is_read(tmp_path: Path) -> None:
    result = bench("run", TINY, *VIRTUAL, "--set", "link=table8", cwd=tmp_path)
    assert result.returncode == 2
    assert "link 'table8' has no seconds for federa" in result.stderr
    assert "say in model.timed_as" in result.stderr


def test_a_table_of_seconds_is_not_for_real_agents(tmp_path: Path) -> None:
    result = bench("run", TINY, "--set", "link=table8", cwd=tmp_path)
    assert result.returncode == 2
    assert "link 'table8' is a table of measured seconds, which real transfers cannot keep to" in result.stderr


def test_the_null_trainer_runs_virtually_too(tmp_path: Path) -> None:
    result = bench("run", "null", "--fleet", "virtual", "--rounds", "2", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert len(rounds(only_run(tmp_path / "runs"))) == 2


def test_what_is_of_agents_is_not_for_a_virtual_fleet(tmp_path: Path) -> None:
    result = bench("run", TINY, *VIRTUAL, "--agents", "3", cwd=tmp_path)
    assert result.returncode == 2
    assert "--agents is of real agents, and a virtual fleet has none" in result.stderr


def test_a_virtual_run_is_not_resumed_with_agents(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, "r")
    folder.write_header(header(of=experiment(fleet="virtual"), state="interrupted"))
    result = bench("resume", str(folder.path), "--external", cwd=tmp_path)
    assert result.returncode == 2
    assert "--external is of real agents, and a virtual fleet has none" in result.stderr
