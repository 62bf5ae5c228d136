"""Many rounds with agents that die all the time, and many where none does: the same states, and nothing grows."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from statistics import median

from books import check_books
from ground import Ground, Setting
from growth import Held, held
from ledger import Faults

from harness.rounds.events import AgentJoined, Aggregated

MEAN_LIFE_ROUNDS = 4.0
LIVES = Setting(rounds=200, clients=6, agents=3, state_bytes=100_000, rate_mbps=8.0)
"""A round takes 0.4 s, a new start of an agent not much more."""
QUIET = Setting(rounds=200, clients=4, agents=2, state_bytes=100_000)
GROWN_BYTES = 8_000_000
"""A controller that kept one update in ten would have grown by more."""

Start = Callable[..., Ground]
Undisturbed = Callable[[Setting], list[str]]


class Reaper:
    """Kills agents at the end of their lives, which are drawn by seed and counted in rounds."""

    def __init__(self, ground: Ground, seed: int) -> None:
        self._ground, self._chance = ground, random.Random(seed)
        self._ends: dict[str, float] = {}
        self._seen, self._seen_s = 0, time.monotonic()
        self.deaths, self.longest_gap_s = 0, 0.0

    def look(self) -> None:
        """Kill whose time has come, and note how long nothing was recorded."""
        updates, now_s = len(self._ground.updates()), time.monotonic()
        if updates > self._seen:
            self._seen, self._seen_s = updates, now_s
        self.longest_gap_s = max(self.longest_gap_s, now_s - self._seen_s)
        at_rounds = updates / self._ground.setting.clients
        for agent in self._ground.agents.values():
            end_rounds = self._ends.setdefault(agent.name, at_rounds + self._life_rounds())
            if at_rounds >= end_rounds:
                agent.signal(signal.SIGKILL)
                self.deaths += 1
                del self._ends[agent.name]

    def _life_rounds(self) -> float:
        return self._chance.expovariate(1 / MEAN_LIFE_ROUNDS)


def watched(ground: Ground, pids: list[int], look: Callable[[], object] = lambda: None) -> list[list[Held]]:
    """What each of these processes holds after each round, but the last ones, in which the run ends."""
    samples: list[list[Held]] = []

    def last_rounds() -> bool:
        look()
        closed = ground.count(Aggregated)
        if closed > len(samples):
            samples.extend([[held(pid) for pid in pids]] * (closed - len(samples)))
        return closed >= ground.setting.rounds - 2

    ground.until(last_rounds, "the last rounds", patience_s=1800.0)
    return [list(of_one) for of_one in zip(*samples, strict=True)]


def typical(samples: list[Held]) -> Held:
    """What a process holds at rest: samples also fall on transfers, with a file open, and on new connections."""
    return Held(min(one.descriptors for one in samples), int(median(one.rss_bytes for one in samples)))


def check_growth(samples: list[Held], agents: int) -> None:
    """In the last fifth of the rounds a process holds what it held in the second one."""
    fifth = len(samples) // 5
    before, after = typical(samples[fifth : 2 * fifth]), typical(samples[-fifth:])
    assert after.descriptors <= before.descriptors + 2 * agents, (before, after)
    assert after.rss_bytes <= before.rss_bytes + GROWN_BYTES, (before, after)


def test_many_rounds_with_agents_that_die_come_to_the_same_states(
    faults: Faults, start: Start, undisturbed: Undisturbed
) -> None:
    setting = replace(LIVES, rounds=faults.tries(15, 200))
    words = f"{setting.rounds} rounds with agents of a mean life of {MEAN_LIFE_ROUNDS:g} rounds"
    with closing(start(setting)) as ground, faults.trying(words) as attempt:
        assert ground.controller is not None
        ground.until_seen(AgentJoined, setting.agents)
        reaper = Reaper(ground, seed=8)
        [samples] = watched(ground, [ground.controller.pid], reaper.look)
        attempt.recovered(reaper.longest_gap_s)
        assert ground.final_states() == undisturbed(setting)
        assert reaper.deaths >= setting.rounds * setting.agents / MEAN_LIFE_ROUNDS / 4
        check_growth(samples, setting.agents)


def test_many_quiet_rounds_make_neither_controller_nor_agent_grow(faults: Faults, start: Start) -> None:
    setting = replace(QUIET, rounds=faults.tries(60, 400))
    with closing(start(setting)) as ground:
        assert ground.controller is not None
        for samples in watched(ground, [ground.controller.pid, ground.agents["agent-1"].pid]):
            check_growth(samples, agents=0)
        ground.finish()
        check_books(ground.run)
