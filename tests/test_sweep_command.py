"""The command ``federa-bench sweep``, on real processes and real training, small."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from pathlib import Path

import psutil
import pytest
from benchtools import LONGEST_S, NULL, TINY, bench, started, until

from harness.errors import UsageError
from harness.sweep.command import plan_of
from harness.sweep.options import SweepOptions

SMALL = ["--rounds", "1", "--set", "fleet=virtual", "--set", "evaluate.sample=100"]
SWEEP = ["sweep", TINY, "--methods", "fedbf", "--lrs", "1e-3 4e-3", "--seeds", "0", *SMALL]
"""Two validation runs, one test run."""


def folder_of(runs: Path) -> Path:
    (path,) = runs.glob("*-sweep-*")
    return path


def events(folder: Path) -> dict[str, bytes]:
    """What happened in each run of a sweep, by run."""
    return {path.parent.name: path.read_bytes() for path in sorted(folder.glob("*/*/events.jsonl"))}


def done(folder: Path) -> set[str]:
    """The runs that are done."""
    headers = [json.loads(path.read_text()) for path in folder.glob("*/*/header.json")]
    return {header["run_id"] for header in headers if header["state"] == "done"}


def children(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """The processes of runs that a sweep started."""
    return psutil.Process(process.pid).children()


def alive(process: psutil.Process) -> bool:
    """Whether a process still does something."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep that nothing happened to, two runs at a time; what it printed stands beside it."""
    folder = tmp_path_factory.mktemp("undisturbed")
    result = bench(*SWEEP, "--jobs", "2", cwd=folder)
    assert result.returncode == 0, result.stderr
    (folder / "printed.txt").write_text(result.stdout)
    (folder / "said.txt").write_text(result.stderr)
    return folder


def test_the_best_rate_is_tested_and_the_table_and_the_report_are_printed(undisturbed: Path) -> None:
    printed = (undisturbed / "printed.txt").read_text()
    assert "validation" in printed
    report = re.search(r"report: (\S+)", printed)
    assert report is not None
    assert (undisturbed / report[1]).is_file()
    said = (undisturbed / "said.txt").read_text()
    assert "0 of 3 runs done, 3 left" in said
    assert "3 of 3 runs done, 0 left" in said


def test_the_sweep_s_folder_holds_its_runs_and_its_tables(undisturbed: Path) -> None:
    folder = folder_of(undisturbed / "runs")
    assert len(list((folder / "validation").glob("*/header.json"))) == 2
    (test,) = (folder / "test").glob("*/header.json")
    header = json.loads(test.read_text())
    assert any("2 runs of a sweep at a time shared this machine" in warning for warning in header["warnings"])
    lines = [line.split(",") for line in (folder / "sweep.csv").read_text().splitlines()]
    rows = [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]
    (chosen,) = [row for row in rows if row["chosen"] == "true"]
    best = max(rows, key=lambda row: (float(row["validation_mean"]), -float(row["lr"])))
    assert best is chosen
    assert header["profile"]["methods"]["fedbf"]["lr"] == float(chosen["lr"])
    assert (header["profile"]["evaluate"]["split"], chosen["test_runs"]) == ("test", "1")


def test_the_same_command_finds_all_done_and_repeats_nothing(undisturbed: Path) -> None:
    before = events(folder_of(undisturbed / "runs"))
    result = bench(*SWEEP, "--json", cwd=undisturbed)
    assert result.returncode == 0, result.stderr
    told = json.loads(result.stdout)
    assert (told["done"], told["failed"], told["left"]) == (3, 0, 0)
    assert [line["state"] for line in told["runs"]] == ["done"] * 3
    assert events(folder_of(undisturbed / "runs")) == before


def test_a_killed_sweep_takes_its_runs_with_it_goes_on_and_ends_with_the_same_tables(
    undisturbed: Path, tmp_path: Path
) -> None:
    with started(*SWEEP, cwd=tmp_path) as process:
        until(lambda: len(list(tmp_path.glob("runs/*/validation/*/events.jsonl"))) == 2, "the second run")
        running = children(process)
        process.kill()
        until(lambda: not any(map(alive, running)), "the end of its run")
    folder = folder_of(tmp_path / "runs")
    before, finished = events(folder), done(folder)
    assert (len(before), len(running)) == (2, 1)
    result = bench(*SWEEP, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    after = events(folder)
    assert len(after) == 3
    assert {name: after[name] for name in finished} == {name: before[name] for name in finished}
    assert all(after[name].startswith(before[name]) for name in before)
    reference = folder_of(undisturbed / "runs")
    assert folder.name == reference.name
    for table in ("sweep.csv", "sweep.md"):
        assert (folder / table).read_text() == (reference / table).read_text()


def test_ctrl_c_stops_the_runs_and_says_how_to_go_on(tmp_path: Path) -> None:
    slow = ["--set", "link={name: slow, rate_mbps: 8}", "--set", "train.null_state_bytes=300000"]
    words = ["sweep", TINY, "--methods", "federa", "--lrs", "profile", "--seeds", "0", "--rounds", "40", *NULL, *slow]
    with started(*words, cwd=tmp_path) as process:
        until(lambda: list(tmp_path.glob("runs/*/test/*/updates/*/*")), "an update")
        running = children(process)
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=LONGEST_S)
    assert process.returncode == 130, printed
    said = printed.replace("\n", "")
    assert "interrupted; 0 of 1 runs done, 1 left, and what is recorded is kept. Go on with the same command:" in said
    assert "federa-bench sweep " in said
    assert "Traceback" not in printed
    assert running
    assert not any(map(alive, running))
    (header,) = tmp_path.glob("runs/*/test/*/header.json")
    assert json.loads(header.read_text())["state"] == "interrupted"


def test_what_no_run_can_do_without_ends_the_sweep_in_one_sentence(tmp_path: Path) -> None:
    result = bench(*SWEEP, "--set", "train.max_length=4096", cwd=tmp_path)
    assert result.returncode == 2, result.stderr
    assert "Traceback" not in result.stderr
    assert re.search(r"federa-bench: runs/\S+/validation/\S+: .*4096", result.stderr)
    (header,) = tmp_path.glob("runs/*/validation/*/header.json")
    assert json.loads(header.read_text())["state"] == "interrupted"


def test_a_dry_run_shows_the_plan_and_makes_nothing(tmp_path: Path) -> None:
    result = bench(*SWEEP, "--dry-run", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "0 of 3 runs done, 3 left" in result.stdout
    assert result.stdout.count("fedbf") >= 4
    assert "the best" in result.stdout
    assert not (tmp_path / "runs").exists()
    told = json.loads(bench(*SWEEP, "--dry-run", "--json", cwd=tmp_path).stdout)
    assert [line["stage"] for line in told["runs"]] == ["validation", "validation", "test"]


def test_each_seed_has_its_experiment_and_tuning_its_own_seeds() -> None:
    plan = plan_of(SweepOptions(profile=TINY, methods="fedlr", lrs="grid", seeds="0-1", tune_seeds="7"))
    assert plan.asked.seeds == (0, 1)
    assert [(run.seed, run.experiment.seeds.cohort) for run in plan.validation()] == [(7, 7)] * 5
    with pytest.raises(UsageError, match="name the seeds with --seeds"):
        plan_of(SweepOptions(profile=TINY, sets=("seeds.link=3",)))


def test_what_would_stop_every_run_is_said_before_the_first(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"null trains nothing .*; give --lrs profile"):
        plan_of(SweepOptions(profile="null", methods="fedlr", lrs="1e-3 5e-4"))
    assert plan_of(SweepOptions(profile="null", methods="fedlr", lrs="profile")).validation() == ()
    with pytest.raises(UsageError, match="device 'table8' has no seconds for fedlr"):
        plan_of(SweepOptions(profile=TINY, methods="fedlr", fleet="virtual", sets=("device=table8",)))
    with pytest.raises(UsageError, match="--fleet 'foo' is unknown"):
        plan_of(SweepOptions(profile=TINY, fleet="foo"))
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="is a file; give a folder"):
        plan_of(SweepOptions(profile=TINY, out=tmp_path / "file"))


def test_a_sweep_over_a_cluster_is_of_the_runs_of_a_virtual_fleet() -> None:
    here = plan_of(SweepOptions(profile=TINY, methods="fedlr", lrs="1e-3", fleet="virtual"))
    for options in (
        SweepOptions(profile=TINY, methods="fedlr", lrs="1e-3", fleet="ray", ray="local"),
        SweepOptions(profile=TINY, methods="fedlr", lrs="1e-3", sets=("fleet=ray",), ray="local"),
    ):
        assert plan_of(options).asked == here.asked
    with pytest.raises(UsageError, match="--ray names a cluster"):
        plan_of(SweepOptions(profile=TINY, methods="fedlr", lrs="1e-3", ray="local"))
