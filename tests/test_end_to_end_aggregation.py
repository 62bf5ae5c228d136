"""Ways of aggregating low-rank adapters in real runs: on virtual devices and real agents, stopped and gone on with."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from benchtools import TINY, bench, hashes, only_run, rounds, started, until

from harness.bench import RunOptions, carry_on, new_run
from harness.errors import RunInterruptedError
from harness.launch import experiment_of
from harness.learning.workload import Sources
from harness.profiles import AGGREGATION_METHODS, Method
from harness.rounds.events import AnyEvent, UpdateReceived
from harness.rounds.machine import RoundMachine
from harness.store import RunFolder

TWO_CLIENTS = [
    "partition.clients=2",
    "rounds.clients_per_round=2",
    "train.max_steps=3",
    "evaluate.sample=60",
    "record.telemetry_hz=0",
]
OWN: dict[str, list[str]] = {
    "fra-ffa": ["methods.fra-ffa.switch_round=1"],
    "slora": ["methods.slora.switch_round=2"],
    "flexlora": ["methods.flexlora={rank: 8, alpha: 8, ranks: [8, 4]}"],
    "hetlora": ["methods.hetlora={rank: 8, alpha: 8, ranks: [8, 4]}"],
    "flora": ["methods.flora={rank: 8, alpha: 8}"],
    "fedex": ["methods.fedex={rank: 8, alpha: 8}"],
}
SCAFFOLD = ["methods.fedlr.scaffold=true"]
ADAM = ["methods.federa.server={optimiser: adam, lr: 0.01}"]
FOLD = ["methods.fra={rank: 8, alpha: 8, fra: {residual: fold}}"]
FEEDBACK = ["methods.fra={initialisation: federa, fra: {residual: feedback, aggregate: increment}}"]
DP_SGD = ["methods.ffa.privacy={kind: dp-sgd, noise_multiplier: 0.8}"]
DP_SERVER = ["methods.fra.privacy={kind: server, noise_multiplier: 2.0}"]
CASES: list[tuple[Method, list[str]]] = [
    *((method, OWN.get(method, [])) for method in AGGREGATION_METHODS),
    ("central", []),
    ("fedlr", SCAFFOLD),
    ("federa", ADAM),
    ("fra", FOLD),
    ("fra", FEEDBACK),
    ("ffa", DP_SGD),
    ("fra", DP_SERVER),
]
NAMES = [*AGGREGATION_METHODS, "central", "scaffold", "adam", "fold", "feedback", "dp-sgd", "dp-server"]
Stop = Callable[[AnyEvent, RoundMachine], bool]


class Screen:
    """Ends the run as Ctrl-C would when something has happened."""

    def __init__(self, stop: Stop) -> None:
        self.stop = stop

    def say(self, line: str) -> None:
        """Nobody reads it."""

    def saw(self, event: AnyEvent, machine: RoundMachine) -> None:
        if self.stop(event, machine):
            raise KeyboardInterrupt


def never(event: AnyEvent, machine: RoundMachine) -> bool:
    return False


def in_the_middle_of_round_two(event: AnyEvent, machine: RoundMachine) -> bool:
    return isinstance(event, UpdateReceived) and machine.round == 2


def before_round_two_is_evaluated(event: AnyEvent, machine: RoundMachine) -> bool:
    return machine.round == 2 and machine.phase == "evaluating"


def begun(out: Path, method: Method, sets: list[str], fleet: str = "virtual", agents: int | None = None) -> RunFolder:
    experiment = experiment_of(TINY, [*TWO_CLIENTS, *sets], agents=agents, fleet=fleet)
    return new_run(experiment, method, Sources(), RunOptions(out=out))


def goes_on(folder: RunFolder, stop: Stop = never) -> RunFolder:
    carry_on(folder, RunOptions(out=folder.path.parent), Screen(stop))
    return folder


@pytest.mark.parametrize(("method", "sets"), CASES, ids=NAMES)
def test_a_run_stopped_twice_comes_to_the_states_of_a_quiet_one(
    tmp_path: Path, method: Method, sets: list[str]
) -> None:
    sets = [*sets, "evaluate.clients=true"]
    quiet = goes_on(begun(tmp_path / "quiet", method, sets))
    folder = begun(tmp_path / "stopped", method, sets)
    for stop in (in_the_middle_of_round_two, before_round_two_is_evaluated):
        with pytest.raises(RunInterruptedError):
            goes_on(folder, stop)
    goes_on(folder)
    assert hashes(folder.path) == hashes(quiet.path)
    assert len(set(hashes(folder.path))) == 3
    for mine, theirs in zip(rounds(folder.path), rounds(quiet.path), strict=True):
        assert (mine.metrics, mine.client_metrics) == (theirs.metrics, theirs.client_metrics)
        assert (mine.errors, mine.privacy) == (theirs.errors, theirs.privacy)
        assert mine.upload_bytes == theirs.upload_bytes
        assert mine.download_bytes >= theirs.download_bytes  # new devices are given whole states
        told = method != "central" and sets[: len(DP_SERVER)] != DP_SERVER
        assert mine.client_metrics.keys() == ({0, 1} if told else set())


def test_privacy_is_told_by_round_and_grows(tmp_path: Path) -> None:
    for method, sets, unit in (("ffa", DP_SGD, "sample"), ("fra", DP_SERVER, "client")):
        spent = [record.privacy for record in rounds(goes_on(begun(tmp_path / method, method, sets)).path)]
        told = [one for one in spent if one is not None]
        assert [one.unit for one in told] == [unit] * 3
        assert 0 < told[0].epsilon < told[1].epsilon < told[2].epsilon
        assert all(one.exact for one in told)


@pytest.mark.parametrize(
    ("method", "sets"),
    [("flora", OWN["flora"]), ("fedex", OWN["fedex"]), ("rolora", []), ("fedlr", SCAFFOLD)],
    ids=["flora", "fedex", "rolora", "scaffold"],
)
def test_real_agents_that_keep_what_they_were_given_come_to_the_same_states(
    tmp_path: Path, method: Method, sets: list[str]
) -> None:
    """Their trainers hold the round before and are given what is new; virtual devices train from whole states."""
    virtual = goes_on(begun(tmp_path / "virtual", method, sets))
    for agents in (1, 2):
        real = goes_on(begun(tmp_path / str(agents), method, sets, "zeromq", agents))
        assert hashes(real.path) == hashes(virtual.path)


def test_agents_whose_controller_was_killed_come_to_the_same_states(tmp_path: Path) -> None:
    words = [part for one in (*TWO_CLIENTS, *OWN["flora"]) for part in ("--set", one)]
    with started("run", TINY, "--method", "flora", *words, cwd=tmp_path) as process:
        until(lambda: any((tmp_path / "runs").glob("*/rounds.jsonl")), "a round")
        process.send_signal(signal.SIGKILL)
        process.wait()
    resumed = bench("resume", str(only_run(tmp_path / "runs")), cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    quiet = goes_on(begun(tmp_path / "quiet", "flora", OWN["flora"]))
    assert hashes(only_run(tmp_path / "runs")) == hashes(quiet.path)
