"""An agent that is killed costs time alone: in the middle of a transfer, or at any moment; and so does SIGTERM."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from ground import Ground, Setting
from ledger import Faults
from quiet import Quiet, check_end

from harness.rounds.events import AgentJoined, AgentLost

PERCENTS = (10, 50, 90, 99)
ALONE = Setting(rounds=6, clients=2, agents=1, state_bytes=600_000, rate_mbps=4.0)
"""A transfer takes 1.2 s in 120 chunks, and nobody else does the work of an agent that is gone."""
TWO = Setting(rounds=3, clients=4, agents=2, state_bytes=200_000, rate_mbps=8.0)
TWO_TAKE_S = 2.5

Start = Callable[..., Ground]
Undisturbed = Callable[..., Quiet]


def partial_update(ground: Ground) -> list[Path]:
    """What has landed at the controller of an update."""
    return ground.there("runs/*/updates/*/*.part")


def partial_state(ground: Ground) -> list[Path]:
    """What has landed at the agent of a round's state."""
    return ground.there("caches/**/state*.part")


def reached(files: list[Path], size_bytes: float) -> bool:
    """Whether one of these partial files is so large."""
    try:
        return any(file.stat().st_size >= size_bytes for file in files)
    except FileNotFoundError:  # it is whole by now
        return False


@pytest.mark.parametrize(("way", "partial"), [("an upload", partial_update), ("a download", partial_state)])
def test_an_agent_killed_in_a_transfer_goes_on_with_it(
    faults: Faults, start: Start, undisturbed: Undisturbed, way: str, partial: Callable[[Ground], list[Path]]
) -> None:
    quiet = undisturbed(ALONE)
    for _ in range(faults.tries(1, 5)):
        with closing(start(ALONE)) as ground, ExitStack() as stack:
            whole_bytes = (ground.run / "checkpoints" / "round-0000.safetensors").stat().st_size
            words = {percent: f"SIGKILL of an agent at {percent} % of {way}" for percent in reversed(PERCENTS)}
            attempts = {percent: stack.enter_context(faults.trying(words[percent])) for percent in words}
            for percent in PERCENTS:
                kept_bytes = whole_bytes * percent / 100
                resumed, recover_s = killed_at(ground, lambda kept=kept_bytes: reached(partial(ground), kept))
                attempts[percent].recovered(recover_s)
                assert resumed_bytes(ground) - resumed >= kept_bytes, f"the first {percent} % of {way} moved again"
            growth = check_end(ground, quiet)
            for attempt in attempts.values():
                attempt.grew(growth)
            assert ground.count(AgentLost) >= len(PERCENTS)


def killed_at(ground: Ground, moment: Callable[[], bool]) -> tuple[int, float]:
    """Kill the agent at a moment of a transfer, and wait until the run goes on.

    The last percent of a transfer takes some milliseconds: a moment that has passed when the signal arrives is waited
    for again, in the next transfer.

    Returns:
        The bytes that had been resumed until then, and the seconds until the next progress.
    """
    for _ in range(8):
        ground.until(moment, "the moment of a transfer")
        since, resumed = ground.progress(), resumed_bytes(ground)
        ground.agents["agent-1"].signal(signal.SIGKILL)
        in_time = moment()
        recover_s = ground.until_progress(since)
        if in_time:
            return resumed, recover_s
    raise AssertionError("each time the transfer was over before the kill")


def resumed_bytes(ground: Ground) -> int:
    """Bytes that moved before something broke and did not move again, of all updates so far."""
    return sum(event.record.resumed_bytes for event in ground.updates())


def test_an_agent_killed_at_any_moment_costs_time_alone(faults: Faults, start: Start, undisturbed: Undisturbed) -> None:
    chance, quiet = random.Random(4), undisturbed(TWO)
    for _ in range(faults.tries(2, 20)):
        with closing(start(TWO)) as ground, faults.trying("SIGKILL of an agent at a random moment") as attempt:
            ground.until_later(chance.uniform(0, TWO_TAKE_S))
            victim = ground.agents[chance.choice(("agent-1", "agent-2"))]
            since = ground.progress(victim.name)
            victim.signal(signal.SIGKILL)
            attempt.recovered(ground.until_progress(since, victim.name))
            attempt.grew(check_end(ground, quiet))


def test_an_agent_that_is_told_to_end_says_goodbye_and_takes_its_place_again(
    faults: Faults, start: Start, undisturbed: Undisturbed
) -> None:
    chance, quiet = random.Random(5), undisturbed(TWO)
    for _ in range(faults.tries(1, 10)):
        with closing(start(TWO)) as ground, faults.trying("SIGTERM of an agent at a random moment") as attempt:
            ground.until_seen(AgentJoined, 2)
            ground.until_later(chance.uniform(0, TWO_TAKE_S / 2))
            agent = ground.agents["agent-1"]
            since = ground.progress(agent.name)
            agent.signal(signal.SIGTERM)
            ground.until(lambda agent=agent: agent.exit_codes, "its end")
            assert agent.exit_codes == [0]
            attempt.recovered(ground.until_progress(since, agent.name))
            attempt.grew(check_end(ground, quiet))
            [lost] = [event for event in ground.events() if isinstance(event, AgentLost)]
            assert "it left" in lost.reason
