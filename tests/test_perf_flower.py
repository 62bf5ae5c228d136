"""Benchmark f: both sides do the same work, memory is that of all processes, and an environment is named in words."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import msgspec
import pytest
from perf import flower_place
from perf.base import Pace
from perf.bench_f_flower import BENCHMARK, OVERHEAD, Told, same_work
from perf.flower_place import FLOWER, VARIABLE, ours, python_of_flower, versions
from perf.flower_work import Load, experiment_of, job_of, make_model
from perf.tree_memory import watched

SMALL = Load("small", 1, 32, clients=6, per_round=3, rounds=2, batch_size=4, max_steps=2)
ALLOCATES = "import time; held = bytearray({size}); held[::4096] = bytes(len(held[::4096])); time.sleep(1.2)"
PARENT = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]], check=True)"


def test_flower_is_told_the_cohorts_and_rows_of_a_run(tmp_path: Path) -> None:
    experiment = experiment_of(SMALL, make_model(SMALL, tmp_path / "model"))
    job = job_of(experiment, tmp_path)
    assert [len(chosen) for chosen in job["cohorts"]] == [3, 3]
    assert set(job["steps"]) == {f"{round}/{client}" for round in (1, 2) for client in job["cohorts"][round - 1]}
    assert all([len(rows) for rows in steps] == [4, 4] for steps in job["steps"].values())
    assert all(Path(path).exists() for path in (*job["shards"].values(), job["initial"]))
    assert len(job["names"]) == 2 * len(job["layers"]) + 4  # two factors each, and a head of two layers
    assert experiment.simulation.processes == job["workers"]


def test_sides_that_learned_otherwise_did_other_work() -> None:
    ours = Told(round_s=(1.0, 2.0), losses=(2.0, 1.5), test_loss=1.4)
    same_work("x", ours, Told(round_s=(5.0, 9.0), losses=(2.0, 1.50001), test_loss=1.4))
    with pytest.raises(RuntimeError, match="not the same work"):
        same_work("x", ours, Told(round_s=(1.0, 2.0), losses=(2.0, 1.6), test_loss=1.4))
    with pytest.raises(RuntimeError, match="loss of the test"):
        same_work("x", ours, Told(round_s=(1.0, 2.0), losses=(2.0, 1.5), test_loss=1.5))


def test_memory_is_that_of_all_descendants(tmp_path: Path) -> None:
    child = ALLOCATES.format(size=80_000_000)
    seen = watched([sys.executable, "-c", PARENT, child], os.environ, tmp_path / "log")
    assert 80_000_000 < seen.peak_bytes < 300_000_000
    assert seen.seconds > 1


def test_a_side_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"ended with 1: .*ValueError: no such thing"):
        watched([sys.executable, "-c", "raise ValueError('no such thing')"], os.environ, tmp_path / "log")


def test_an_environment_without_flower_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    with pytest.raises(RuntimeError, match=f"no environment for Flower.*{VARIABLE}"):
        python_of_flower(print)


STAND_IN = """#!/bin/sh
echo "$*" >> {folder}/calls
case "$*" in
    *"-m venv"*) ;;
    *"-m pip install"*) cp {folder}/installed {folder}/has ;;
    *importlib*) cat {folder}/has ;;
esac
"""


class StandIn:
    """A Python, ours as well as an environment's, that has the versions it is told and installs the right ones."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.right = folder, {"flwr": FLOWER, "ray": "9.9"} | ours()
        self.python = folder / "env" / "bin" / "python"
        self.python.parent.mkdir(parents=True)
        self.python.write_text(STAND_IN.format(folder=folder))
        self.python.chmod(0o755)
        self.installs(self.right)

    def has(self, found: dict[str, str]) -> None:
        (self.folder / "has").write_bytes(msgspec.json.encode(found))

    def installs(self, found: dict[str, str]) -> None:
        (self.folder / "installed").write_bytes(msgspec.json.encode(found))

    @property
    def installed(self) -> bool:
        return f"-m pip install --quiet flwr[simulation]=={FLOWER} torch==" in (self.folder / "calls").read_text()


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """In the place of .perf/flower and of this Python."""
    made = StandIn(tmp_path)
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(flower_place, "CACHE", tmp_path / "env")
    monkeypatch.setattr(sys, "executable", str(made.python))
    return made


def test_a_right_environment_is_left_as_it_is(stand_in: StandIn) -> None:
    stand_in.has(stand_in.right | {"torch": f"{stand_in.right['torch']}+another.build"})
    assert python_of_flower(print) == stand_in.python
    assert not stand_in.installed
    assert versions(stand_in.python).startswith(f"flwr {FLOWER}, ray 9.9, torch {stand_in.right['torch']}+another")
    assert all(f"{name} {stand_in.right[name]}" in versions(stand_in.python) for name in flower_place.SAME)


@pytest.mark.parametrize(
    "its", [{}, {"flwr": FLOWER}, {"flwr": "1.0"} | ours(), {"flwr": FLOWER} | ours() | {"peft": "0.1"}]
)
def test_one_that_is_half_made_or_stale_is_installed_again(stand_in: StandIn, its: dict[str, str]) -> None:
    stand_in.has(its)
    assert python_of_flower(print) == stand_in.python
    assert stand_in.installed


def test_one_that_stays_wrong_is_refused(stand_in: StandIn) -> None:
    stand_in.has({})
    stand_in.installs(stand_in.right | {"peft": "0.1"})
    with pytest.raises(RuntimeError, match=r"has peft 0\.1, not "):
        python_of_flower(print)


def test_one_that_is_named_is_never_installed_into_but_refused(
    stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(stand_in.folder / "env"))
    stand_in.has(stand_in.right | {"flwr": "another"})
    assert python_of_flower(print) == stand_in.python
    stand_in.has(ours() | {"safetensors": "0.0.1"})
    with pytest.raises(RuntimeError, match=rf"has no flwr; safetensors 0\.0\.1, not .*{VARIABLE}"):
        python_of_flower(print)
    assert not stand_in.installed


@pytest.mark.skipif(VARIABLE not in os.environ, reason=f"{VARIABLE} names no environment with Flower")
def test_the_benchmark_compares_both_sides(tmp_path: Path) -> None:
    result = BENCHMARK.run(Pace(tmp_path, print, repetitions=1, warm_ups=0, quick=True))
    limits = {figure.name: figure for figure in result.figures if figure.reached is not None}
    assert set(limits) == {"compute-bound: steady, over Flower", f"{OVERHEAD.name}: steady, over Flower"}
    assert "Compared with flwr" in result.remark
