"""A controller that is killed in any phase of a round is resumed while its agents wait, and one told to end as well."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable
from contextlib import closing

from ground import Ground, Setting
from growth import Held
from ledger import Faults
from quiet import Quiet, check_end

from harness.rounds.events import AgentJoined, Aggregated, ControllerResumed, Evaluated, UpdateReceived
from harness.store import RunFolder

SLOW = Setting(rounds=3, clients=4, agents=2, state_bytes=200_000, rate_mbps=4.0)
SLOW_BEGINS_S = 2.5
"""Its links alone take 4.8 s: a moment of so many seconds is within the run, also where it is noticed late."""
LARGE = Setting(rounds=3, clients=4, agents=2, state_bytes=8_000_000)
"""Training and aggregating take a while."""
LEARNS = ("train.trainer='torch'", "evaluate.sample=400", "evaluate.batch_size=8")
LEARNING = Setting(rounds=2, sets=LEARNS)
BESIDE = Setting(rounds=3, sets=(*LEARNS, "evaluate.batch_size=2", "evaluate.overlap=always"))
"""The state of a round is evaluated while its agents, on the same machine, train the next: for longer than one task."""

Start = Callable[..., Ground]
Undisturbed = Callable[..., Quiet]
Moment = Callable[[Ground], object]


def gathering(ground: Ground) -> bool:
    return ground.count(AgentJoined) < 2


def download(ground: Ground) -> object:
    return past_the_first_update(ground) and ground.there("caches/**/state*.part")


def training(ground: Ground) -> bool:
    return past_the_first_update(ground) and ground.agents["agent-1"].said().count("train client") >= 2


def upload(ground: Ground) -> object:
    return past_the_first_update(ground) and ground.there("runs/*/updates/*/*.part")


def aggregating(ground: Ground) -> bool:
    """Of the second round: all of its updates are there."""
    return sum(event.record.round == 2 for event in ground.updates()) == 4 and ground.count(Aggregated) == 1


def evaluating(ground: Ground) -> bool:
    return ground.count(Aggregated) > ground.count(Evaluated)


def evaluating_beside(ground: Ground) -> bool:
    """The first round's state, while the second round has an update at least."""
    return ground.count(Evaluated) == 0 and any(event.record.round == 2 for event in ground.updates())


def between_rounds(ground: Ground) -> bool:
    """The first round is closed, the second has no update."""
    return ground.count(Aggregated) >= 1


def past_the_first_update(ground: Ground) -> bool:
    return ground.count(UpdateReceived) >= 1


PHASES: dict[str, tuple[Setting, Moment]] = {
    "an upload": (SLOW, upload),
    "aggregating": (LARGE, aggregating),
    "gathering agents": (SLOW, gathering),
    "a download": (SLOW, download),
    "training": (LARGE, training),
    "evaluating": (LEARNING, evaluating),
    "evaluating beside the next round": (BESIDE, evaluating_beside),
    "the change of rounds": (SLOW, between_rounds),
}


def killed_and_resumed(ground: Ground) -> float:
    """Kill the controller and resume the run; seconds from the kill to the next progress."""
    since = ground.progress()
    ground.kill_controller()
    ground.resume()
    return ground.until_progress(since)


def check(ground: Ground, quiet: Quiet) -> Held:
    """The run ends as the quiet one, in one piece, and its agents have lived through it; by how much they grew."""
    growth = check_end(ground, quiet)
    assert ground.count(ControllerResumed) == 1
    assert [agent.starts for agent in ground.agents.values()] == [1, 1], "an agent did not wait for its controller"
    return growth


def test_a_controller_killed_in_any_phase_is_resumed_to_the_same_states(
    faults: Faults, start: Start, undisturbed: Undisturbed
) -> None:
    phases = list(PHASES)[: faults.tries(2, len(PHASES))]
    for phase in phases * faults.tries(1, 20):
        setting, moment = PHASES[phase]
        quiet = undisturbed(setting)
        with closing(start(setting)) as ground, faults.trying(f"SIGKILL of the controller in {phase}") as attempt:
            ground.until(lambda moment=moment, ground=ground: moment(ground), phase)
            attempt.recovered(killed_and_resumed(ground))
            attempt.grew(check(ground, quiet))


def test_a_controller_killed_at_any_moment_is_resumed_to_the_same_states(
    faults: Faults, start: Start, undisturbed: Undisturbed
) -> None:
    chance, quiet = random.Random(6), undisturbed(SLOW)
    for _ in range(faults.tries(1, 8)):
        with (
            closing(start(SLOW)) as ground,
            faults.trying("SIGKILL of the controller at a random moment") as attempt,
        ):
            ground.until_later(chance.uniform(0, SLOW_BEGINS_S))
            attempt.recovered(killed_and_resumed(ground))
            attempt.grew(check(ground, quiet))


def test_a_controller_that_is_told_to_end_leaves_a_run_that_goes_on(
    faults: Faults, start: Start, undisturbed: Undisturbed
) -> None:
    chance, quiet = random.Random(7), undisturbed(SLOW)
    for _ in range(faults.tries(1, 5)):
        with (
            closing(start(SLOW)) as ground,
            faults.trying("SIGTERM of the controller at a random moment") as attempt,
        ):
            ground.until_later(chance.uniform(0, SLOW_BEGINS_S))
            since, ended_s = ground.progress(), time.monotonic()
            assert ground.end_controller(signal.SIGTERM) == 130
            header = RunFolder(ground.run).read_header()
            assert header.state == "interrupted"
            assert f"federa-bench resume runs/{ground.run.name}" in ground.said().replace("\n", "")
            assert "Traceback" not in ground.said()
            ground.resume()
            ground.until_progress(since)
            attempt.recovered(time.monotonic() - ended_s)
            attempt.grew(check(ground, quiet))
