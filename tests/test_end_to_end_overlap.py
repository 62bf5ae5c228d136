"""A virtual run evaluates beside the next round: weights, metrics and records are those of one that does not."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from benchtools import TINY

from harness.bench import RunOptions, carry_on, new_run
from harness.errors import RunInterruptedError
from harness.launch import experiment_of
from harness.learning.workload import Sources
from harness.profiles import DeviceProfile, ServerSeconds, TrainSeconds
from harness.records import RoundRecord
from harness.rounds.events import Aggregated, AnyEvent, RunOpened
from harness.rounds.machine import RoundMachine
from harness.store import RunFolder

TABLE = DeviceProfile(name="stepper", seconds=(TrainSeconds(step_s=1.0),), server=ServerSeconds(aggregate_s=0.25))
TWO_ROUNDS = ["rounds.count=2"]


class Screen:
    """Ends the run as Ctrl-C would, where it is asked to, while a state is evaluated beside a round."""

    def __init__(self, *, stops: bool = False) -> None:
        self.stops, self.told = stops, list[str]()

    def say(self, line: str) -> None:
        self.told.append(line)

    def saw(self, event: AnyEvent, machine: RoundMachine) -> None:
        self.told.append(type(event).__name__)
        if self.stops and isinstance(event, Aggregated) and machine.beside == 1:
            raise KeyboardInterrupt


def run(out: Path, overlap: str, *, stops: bool = False) -> RunFolder:
    profile = experiment_of(TINY, [*TWO_ROUNDS, f"evaluate.overlap={overlap}"], fleet="virtual")
    options = RunOptions(out=out)
    folder = new_run(msgspec.structs.replace(profile, device=TABLE), "fedlr", Sources(), options)
    if stops:
        with pytest.raises(RunInterruptedError):
            carry_on(folder, options, Screen(stops=True))
        assert folder.read_rounds() == []
    carry_on(folder, options, screen := Screen())
    # What it is built of draws from the stream that training draws from, where that is in this process.
    assert ("evaluates beside" in "\n".join(screen.told).partition("AgentJoined")[0]) == (overlap != "never")
    return folder


def told(folder: RunFolder) -> list[RoundRecord]:
    """All of the records but what evaluating took here."""
    return [msgspec.structs.replace(record, evaluate_s=None) for record in folder.read_rounds()]


def test_evaluating_beside_the_next_round_leaves_no_trace_but_in_its_own_seconds(tmp_path: Path) -> None:
    apart = told(run(tmp_path / "apart", "never"))
    beside = run(tmp_path / "beside", "auto", stops=True)
    opened = beside.read_events()[0]
    assert isinstance(opened, RunOpened)
    assert opened.overlap
    assert told(beside) == apart
    assert [sorted(record.metrics) for record in apart] == [["accuracy", "loss"]] * 2
