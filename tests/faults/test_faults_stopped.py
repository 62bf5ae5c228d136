"""Processes that stand still for a while: an agent, the controller, and one that misses a round's deadline."""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

from books import check_books
from ground import Ground, Setting
from ledger import Faults
from quiet import Quiet, check_end, check_growth
from straggler import Straggler

from harness.rounds.events import AgentJoined, AgentLost, Aggregated, UpdateLate, UpdateReceived

SETTING = Setting(rounds=3, clients=4, agents=2, state_bytes=150_000, rate_mbps=8.0, lost_after_s=1.0)
LONG = replace(SETTING, rounds=40, lost_after_s=3.0)
"""One agent alone takes longer than 30 s for it."""
DEADLINE = Setting(
    rounds=4,
    clients=2,
    agents=2,
    state_bytes=150_000,
    rate_mbps=8.0,
    lost_after_s=60.0,
    sets=("rounds.deadline_s=2", "rounds.quorum=0.5"),
)
THREE = replace(DEADLINE, clients=3, sets=(*DEADLINE.sets, "agents.count=3"))
"""A third agent is awaited, which the test plays."""

Start = Callable[..., Ground]
Undisturbed = Callable[..., Quiet]


def test_an_agent_that_stands_still_is_replaced_and_takes_its_place_again(
    faults: Faults, start: Start, undisturbed: Undisturbed
) -> None:
    setting, stop_s = (LONG, 30.0) if faults.counts == "full" else (SETTING, 1.5)
    quiet = undisturbed(setting)
    for _ in range(faults.tries(1, 3)):
        with closing(start(setting)) as ground, faults.trying(f"SIGSTOP of an agent for {stop_s:g} s") as attempt:
            agent = ground.agents["agent-1"]
            ground.until_seen(UpdateReceived)
            agent.signal(signal.SIGSTOP)
            ground.until_seen(AgentLost)
            ground.until_later(stop_s - setting.lost_after_s)
            since = ground.progress(agent.name)
            agent.signal(signal.SIGCONT)
            attempt.recovered(ground.until_progress(since, agent.name))
            attempt.grew(check_end(ground, quiet))
            assert (agent.starts, ground.count(AgentJoined)) == (1, 3)


def test_a_pause_that_is_shorter_than_lost_after_is_none(
    faults: Faults, start: Start, undisturbed: Undisturbed
) -> None:
    setting = replace(SETTING, lost_after_s=8.0)
    quiet = undisturbed(setting)
    for _ in range(faults.tries(1, 5)):
        with (
            closing(start(setting)) as ground,
            faults.trying("SIGSTOP of an agent within lost_after_s") as attempt,
        ):
            ground.until_seen(UpdateReceived)
            agent = ground.agents["agent-1"]
            agent.signal(signal.SIGSTOP)
            ground.until_later(2.0)
            since = ground.progress(agent.name)
            agent.signal(signal.SIGCONT)
            attempt.recovered(ground.until_progress(since, agent.name))
            attempt.grew(check_end(ground, quiet))
            assert ground.count(AgentLost) == 0


def test_a_controller_that_stands_still_loses_nobody(faults: Faults, start: Start, undisturbed: Undisturbed) -> None:
    stop_s = 30.0 if faults.counts == "full" else 2.0
    quiet = undisturbed(SETTING)
    for _ in range(faults.tries(1, 3)):
        with closing(start(SETTING)) as ground, faults.trying(f"SIGSTOP of the controller for {stop_s:g} s") as attempt:
            ground.until_seen(UpdateReceived)
            ground.signal_controller(signal.SIGSTOP)
            since = ground.progress()
            ground.until_later(stop_s)
            ground.signal_controller(signal.SIGCONT)
            attempt.recovered(ground.until_progress(since))
            attempt.grew(check_end(ground, quiet))
            assert ground.count(AgentLost) == 0
            assert [agent.starts for agent in ground.agents.values()] == [1, 1]


def test_a_round_goes_on_without_a_straggler_which_then_takes_its_place(
    faults: Faults, start: Start, undisturbed: Undisturbed
) -> None:
    quiet = undisturbed(DEADLINE)
    for _ in range(faults.tries(1, 3)):
        with closing(start(DEADLINE)) as ground, faults.trying("an agent misses a round's deadline") as attempt:
            ground.until_seen(Aggregated)
            agent = ground.agents["agent-2"]
            agent.signal(signal.SIGSTOP)
            ground.until_seen(Aggregated, 2)
            since = ground.progress(agent.name)
            agent.signal(signal.SIGCONT)
            attempt.recovered(ground.until_progress(since, agent.name))
            ground.finish()
            rounds = check_books(ground.run)
            attempt.grew(check_growth(ground, quiet))
            assert [len(record.completed) for record in rounds] == [2, 1, 2, 2]
            [failure] = rounds[1].failed
            assert failure.agent == agent.name
            assert "deadline" in failure.reason


def test_a_late_update_is_recorded_and_not_aggregated(faults: Faults, start: Start, undisturbed: Undisturbed) -> None:
    quiet = undisturbed(DEADLINE)
    for _ in range(faults.tries(1, 3)):
        with (
            closing(start(THREE)) as g,
            Straggler(g, "straggler") as straggler,
            faults.trying("an update comes after its round's deadline") as attempt,
        ):
            straggler.join()
            ref = straggler.task()
            g.until_seen(Aggregated)
            straggler.offer(ref)
            straggler.cancelled(ref)
            straggler.leave()
            attempt.recovered(g.until_progress(g.progress()))
            g.finish()
            rounds = check_books(g.run)
            attempt.grew(check_growth(g, quiet))
            assert [len(record.completed) for record in rounds] == [2, 3, 3, 3]
            [late] = [late for record in rounds for late in record.late]
            assert (late.round, late.client, late.agent, late.attempt) == (1, ref.client, "straggler", ref.attempt)
            assert g.count(UpdateLate) >= 1
