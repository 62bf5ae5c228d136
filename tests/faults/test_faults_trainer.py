"""A trainer that dies fails its task alone: the agent says why, starts another one, and the client is tried again."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import closing

from ground import Ground, Setting
from ledger import Faults
from memory import group_with_memory
from supervised import Supervised

from harness.rounds.events import AgentLost, TaskFailed, UpdateReceived

SETTING = Setting(rounds=4, clients=4, agents=2, state_bytes=5_000_000)

Start = Callable[..., Ground]
Undisturbed = Callable[[Setting], list[str]]


def failures(ground: Ground) -> list[str]:
    """Why tasks failed so far."""
    return [event.reason for event in ground.events() if isinstance(event, TaskFailed)]


def trains(agent: Supervised) -> bool:
    """Whether its trainer has a task, as its log tells."""
    said = agent.said()
    return said.count("train client") > said.count("trained client")


def check(ground: Ground, states: list[str]) -> None:
    """The run ends with these states, and no agent ended with its trainer."""
    assert ground.final_states() == states
    assert ground.count(AgentLost) == 0
    assert [agent.starts for agent in ground.agents.values()] == [1, 1]


def test_a_trainer_killed_for_memory_is_told_as_oom_and_replaced(
    faults: Faults, start: Start, undisturbed: Undisturbed
) -> None:
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
            check(ground, undisturbed(SETTING))
            [reason] = failures(ground)
            assert "oom" in reason
            assert agent.trainer() != trainer


def test_a_trainer_that_is_killed_is_replaced(faults: Faults, start: Start, undisturbed: Undisturbed) -> None:
    for _ in range(faults.tries(1, 10)):
        with closing(start(SETTING)) as ground, faults.trying("SIGKILL of a trainer that trains") as attempt:
            ground.until_seen(UpdateReceived)
            agent = ground.agents["agent-1"]
            trainer = agent.trainer()
            assert trainer is not None
            os.kill(trainer, signal.SIGSTOP)  # so that its next task is one it cannot end
            ground.until(lambda agent=agent: trains(agent), "a task")
            os.kill(trainer, signal.SIGKILL)
            attempt.recovered(ground.until_progress(ground.progress(agent.name), agent.name))
            check(ground, undisturbed(SETTING))
            [reason] = failures(ground)
            assert "signal 9" in reason
            assert "oom" not in reason
