"""What dies on the way costs no result. Real processes, killed by pid."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from benchtools import LONGEST_S, NULL, TINY, agents_of, bench, hashes, only_run, rounds, started, until

SLOW = ["--set", "link={name: slow, rate_mbps: 8}", "--set", "train.null_state_bytes=300000"]
"""An upload takes 0.3 s: long enough to be killed in the middle."""


def events(run: Path) -> str:
    """The run's events as text; empty before the first."""
    path = run / "events.jsonl"
    return path.read_text() if path.exists() else ""


def the_run(folder: Path) -> Path:
    until(lambda: list((folder / "runs").glob("*/events.jsonl")), "the first event")
    return only_run(folder / "runs")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """State hashes of a tiny run that nothing happened to."""
    folder = tmp_path_factory.mktemp("undisturbed")
    result = bench("run", TINY, "--method", "fedlr", cwd=folder)
    assert result.returncode == 0, result.stderr
    return hashes(only_run(folder / "runs"))


def test_a_controller_killed_in_the_middle_of_a_round_goes_on_to_the_same_weights(
    undisturbed: list[str], tmp_path: Path
) -> None:
    with started("run", TINY, "--method", "fedlr", cwd=tmp_path) as process:
        run = the_run(tmp_path)
        until(lambda: events(run).count("update-received") >= 5, "an update of round 2")
        process.kill()
    assert len(rounds(run)) < 3
    result = bench("resume", str(run), cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert hashes(run) == undisturbed
    assert "controller-resumed" in events(run)


def test_a_controller_killed_before_it_noted_the_start_notes_it_at_the_resume(tmp_path: Path) -> None:
    assert bench("run", TINY, *NULL, cwd=tmp_path).returncode == 0
    run = only_run(tmp_path / "runs")
    header = json.loads((run / "header.json").read_text())
    (run / "header.json").write_text(json.dumps(header | {"clock": None, "ship_s": None, "init_s": None, "agents": []}))
    lines = events(run).splitlines(keepends=True)
    joined = [number for number, line in enumerate(lines) if '"agent-joined"' in line]
    (run / "events.jsonl").write_text("".join(lines[: joined[1] + 1]))
    (run / "header.json").write_text((run / "header.json").read_text().replace('"done"', '"running"'))
    assert bench("resume", str(run), cwd=tmp_path).returncode == 0
    after = json.loads((run / "header.json").read_text())
    assert (after["clock"], after["ship_s"], after["agents"]) == ("critical path", header["ship_s"], header["agents"])


def test_an_agent_killed_in_training_costs_nothing_but_time(undisturbed: list[str], tmp_path: Path) -> None:
    with started("run", TINY, "--method", "fedlr", cwd=tmp_path) as process:
        run = the_run(tmp_path)
        until(lambda: events(run).count("update-received") >= 1, "the first update")
        os.kill(agents_of(process.pid)[0], signal.SIGKILL)
        printed, _ = process.communicate(timeout=LONGEST_S)
    assert process.returncode == 0, printed
    assert hashes(run) == undisturbed
    assert "agent-lost" in events(run)


def test_an_agent_killed_in_the_middle_of_an_upload_is_replaced(tmp_path: Path) -> None:
    with started("run", TINY, *NULL, *SLOW, cwd=tmp_path) as process:
        run = the_run(tmp_path)
        until(lambda: list(run.glob("updates/*/*.part")), "a partial upload")
        for agent in agents_of(process.pid):
            os.kill(agent, signal.SIGKILL)
        printed, _ = process.communicate(timeout=LONGEST_S)
    assert process.returncode == 0, printed
    assert "agent-lost" in events(run)
    assert [len(record.completed) for record in rounds(run)] == [4, 4, 4]


def test_ctrl_c_leaves_a_resumable_run_and_says_how(tmp_path: Path) -> None:
    with started("run", TINY, *NULL, *SLOW, cwd=tmp_path) as process:
        run = the_run(tmp_path)
        until(lambda: "update-received" in events(run), "the first update")
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=LONGEST_S)
    assert process.returncode == 130, printed
    assert f"federa-bench resume runs/{run.name}" in printed.replace("\n", "")
    assert "Traceback" not in printed
    status = bench("status", cwd=tmp_path)
    assert "interrupted" in status.stdout
    result = bench("resume", f"runs/{run.name}", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert len(rounds(run)) == 3


def test_ctrl_c_in_the_middle_of_an_evaluation_ends_as_cleanly(tmp_path: Path) -> None:
    whole = ["--method", "fedlr", "--set", "evaluate.sample=1200", "--set", "evaluate.batch_size=1"]
    with started("run", TINY, *whole, cwd=tmp_path) as process:
        run = the_run(tmp_path)
        until(lambda: '"aggregated"' in events(run), "the first new state")
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=LONGEST_S)
    assert process.returncode == 130, printed
    assert printed.rstrip().endswith(run.name), "something was said after how to resume"
    assert '"evaluated"' not in events(run)


def test_a_killed_controller_leaves_no_agent_behind(tmp_path: Path) -> None:
    with started("run", TINY, *NULL, *SLOW, cwd=tmp_path) as process:
        run = the_run(tmp_path)
        until(lambda: "update-received" in events(run), "the first update")
        agents = agents_of(process.pid)
        process.kill()
    assert agents
    until(lambda: not any(_alive(pid) for pid in agents), "the agents' end")


def _alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


@pytest.fixture
def small_disk(tmp_path: Path):
    """A file system of 16 MiB, room for a run and its report; skipped where one cannot be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a small file system cannot be mounted here (needs root)")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_ends_in_a_sentence_and_the_run_goes_on_when_there_is_room(small_disk: Path) -> None:
    tiny_state = ["--set", "train.null_state_bytes=1024", "--set", "rounds.count=150"]
    with started("run", TINY, *NULL, *tiny_state, cwd=small_disk) as process:
        run = the_run(small_disk)
        until(lambda: "update-received" in events(run), "the first update")
        ballast = small_disk / "ballast"
        with ballast.open("wb", buffering=0) as file:
            try:
                while file.write(b"x" * 65536):
                    pass
            except OSError:
                file.flush()
        printed, _ = process.communicate(timeout=LONGEST_S)
    assert process.returncode == 1, printed
    assert "disk is full" in printed
    assert "resume" in printed
    assert "Traceback" not in printed
    before = events(run).count("\n")
    ballast.unlink()
    result = bench("resume", str(run), cwd=small_disk)
    assert result.returncode == 0, result.stderr
    assert len(rounds(run)) == 150
    assert events(run).count("\n") > before
