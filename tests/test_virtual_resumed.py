"""Virtual runs that are stopped at some moment and go on: they count what they would have counted without a stop."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchtools import TINY, rounds

from harness import launch
from harness.bench import RunOptions, carry_on, new_run
from harness.errors import RunInterruptedError
from harness.learning.workload import Sources
from harness.rounds.events import AnyEvent
from harness.rounds.machine import RoundMachine
from harness.store import RunFolder

TABLES = ["device.seconds=[{step_s: 1.0}]", "device.server.aggregate_s=1", "device.server.svd_s=2", "link=lte-10"]
STAGES = ["methods.fra-ffa.switch_round=1", "simulation.processes=1"]


class StoppingUser:
    """Watches a run, and stops it after the event of a number, from 1; 0: never."""

    def __init__(self, after: int = 0) -> None:
        self.seen: list[AnyEvent] = []
        self._after = after

    def say(self, line: str) -> None:
        """Nobody listens."""

    def saw(self, event: AnyEvent, machine: RoundMachine) -> None:
        self.seen.append(event)
        if len(self.seen) == self._after:
            raise KeyboardInterrupt


def begun(folder: Path) -> tuple[RunFolder, RunOptions]:
    """A run of fra-ffa, whose clients are given B alone from the third round on; its seconds are those of tables."""
    options = RunOptions(folder)
    experiment = launch.experiment_of(TINY, [*TABLES, *STAGES], rounds=4, fleet="virtual")
    return new_run(experiment, "fra-ffa", Sources(), options), options


def told(run: RunFolder) -> list[tuple[int, int, float, str]]:
    """What the rounds of a run tell of bytes, seconds and weights."""
    return [(one.download_bytes, one.upload_bytes, one.elapsed_s, one.state_sha256) for one in rounds(run.path)]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunFolder, StoppingUser]:
    run, options = begun(tmp_path_factory.mktemp("whole"))
    user = StoppingUser()
    carry_on(run, options, user)
    return run, user


def moment(user: StoppingUser, event: str, round: int) -> int:
    """The number of the first event of a kind in a round."""
    found = [type(one).__name__ == event and _round(one) == round for one in user.seen]
    return found.index(True) + 1


def _round(event: AnyEvent) -> int | None:
    of: int | None = getattr(getattr(event, "record", event), "round", None)
    return of


@pytest.mark.parametrize(
    ("event", "round", "later"),
    [
        ("UpdateReceived", 2, 0),
        ("UpdateReceived", 3, 1),
        ("UpdateReceived", 3, 3),
        ("Aggregated", 2, 0),
        ("Evaluated", 3, 0),
    ],
)
def test_a_stopped_run_counts_the_bytes_and_seconds_of_one_that_was_not(
    finished: tuple[RunFolder, StoppingUser], tmp_path: Path, event: str, round: int, later: int
) -> None:
    whole, user = finished
    run, options = begun(tmp_path)
    with pytest.raises(RunInterruptedError):
        carry_on(run, options, StoppingUser(moment(user, event, round) + later))
    carry_on(run, options, StoppingUser())
    assert told(run) == told(whole)
    assert told(run)[2][0] < told(run)[0][0], "devices fetch less than whole states"
