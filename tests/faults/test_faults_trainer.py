"""A trainer that dies fails its task alone: the agent says why, starts another one, and the client is tried again."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import closing

from ground import Ground, Setting
from growth import Held
from ledger import Faults
from memory import group_with_memory
from quiet import Quiet, check_end
from supervised import Supervised

from harness.rounds.events import AgentLost, TaskFailed, UpdateReceived

SETTING = Setting(rounds=4, clients=4, agents=2, state_bytes=5_000_000, rate_mbps=160.0)

Start = Callable[..., Ground]
Undisturbed = Callable[..., Quiet]


def failures(ground: Ground) -> list[str]:
    """Why tasks failed so far."""
    return [event.reason for event in ground.events() if isinstance(event, TaskFailed)]


def trains(agent: Supervised) -> bool:
    """Whether its trainer has a task, as its log tells."""
    said = agent.said()
    return said.count("train client") > said.count("trained client")


def check(ground: Ground, quiet: Quiet) -> Held:
    """The run ends as the quiet one, and no agent ended with its trainer; by how much they grew."""
    growth = check_end(ground, quiet)
    assert ground.count(AgentLost) == 0
    assert [agent.starts for agent in ground.agents.values()] == [1, 1]
    return growth


def test_a_trainer_killed_for_memory_is_told_as_oom_and_replaced(
    faults: Faults, start: Start, undisturbed: Undisturbed
) -> None:
    quiet = undisturbed(SETTING)
    for _ in range(faults.tries(1, 10)):
        with (
            group_with_memory(4_000_000) as group,
            closing(start(SETTING)) as ground,
            faults.trying("a trainer is killed by the kernel for memory") as attempt,
        ):
            ground.until_seen(UpdateReceived)
            agent = ground.agents["agent-1"]
            trainer = agent.trainer()
            assert trainer is not None
            (group / "cgroup.procs").write_text(str(trainer))
            ground.until(lambda ground=ground: failures(ground), "the kernel's verdict")
            attempt.recovered(ground.until_progress(ground.progress(agent.name), agent.name))
            attempt.grew(check(ground, quiet))
            [reason] = failures(ground)
            assert "oom" in reason
            assert agent.trainer() != trainer


def test_a_trainer_that_is_killed_is_replaced(faults: Faults, start: Start, undisturbed: Undisturbed) -> None:
    quiet = undisturbed(SETTING)
    for _ in range(faults.tries(1, 10)):
        with closing(start(SETTING)) as ground, faults.trying("SIGKILL of a trainer that trains") as attempt:
            ground.until_seen(UpdateReceived)
            agent = ground.agents["agent-1"]
            trainer = agent.trainer()
            assert trainer is not None
            os.kill(trainer, signal.SIGSTOP)  # so that its next task is one it cannot end
            # What it had just ended may not be told yet: then another task comes.
            ground.until_later(0.5)
            ground.until(lambda agent=agent: trains(agent), "a task")
            os.kill(trainer, signal.SIGKILL)
            attempt.recovered(ground.until_progress(ground.progress(agent.name), agent.name))
            attempt.grew(check(ground, quiet))
            [reason] = failures(ground)
            assert "signal 9" in reason
            assert "oom" not in reason
