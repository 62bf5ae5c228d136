"""Many rounds with agents that die all the time, and many where none does: the same states, and nothing grows."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

from books import check_books
from ground import Ground, Setting
from growth import Held, held, least
from ledger import Faults
from quiet import Quiet, check_end

from harness.rounds.events import AgentJoined, Aggregated

MEAN_LIFE_ROUNDS = 4.0
LIVES = Setting(rounds=200, clients=6, agents=3, state_bytes=100_000, rate_mbps=8.0)
"""A round takes 0.4 s, a new start of an agent not much more."""
QUIET = Setting(rounds=200, clients=4, agents=2, state_bytes=100_000)
GROWN_BYTES = 8_000_000
"""A controller that kept one update in ten would have grown by more."""

Start = Callable[..., Ground]
Undisturbed = Callable[..., Quiet]


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
            if agent.name not in self._ends:  # a life is drawn at its beginning alone, however often is looked
                self._ends[agent.name] = at_rounds + self._life_rounds()
            if at_rounds >= self._ends[agent.name]:
                agent.signal(signal.SIGKILL)
                self.deaths += 1
                del self._ends[agent.name]

    def _life_rounds(self) -> float:
        return self._chance.expovariate(1 / MEAN_LIFE_ROUNDS)


def watched(ground: Ground, pids: list[int], look: Callable[[], object] = lambda: None) -> list[list[Held]]:
    """The least that each of these processes held in each round, but the last ones, in which the run ends.

    The least, not what it held at one look: a transfer has a file open, and a look may fall on one or not.
    """
    samples: list[list[Held]] = []
    looks: list[list[Held]] = []

    def last_rounds() -> bool:
        look()
        looks.append([held(pid) for pid in pids])
        closed = ground.count(Aggregated)
        if closed > len(samples):
            least_of_round = [least(of_one) for of_one in zip(*looks, strict=True)]
            samples.extend([least_of_round] * (closed - len(samples)))
            looks.clear()
        return closed >= ground.setting.rounds - 2

    ground.until(last_rounds, "the last rounds", patience_s=1800.0)
    return [list(of_one) for of_one in zip(*samples, strict=True)]


def check_growth(samples: list[Held], agents: int) -> None:
    """In the last fifth of the rounds a process holds what it held in the second one.

    A state is handed out or flushed most of the time: its file may be open at every look of a fifth, and at one look of
    another not. So one file more is nothing; a leak of one in a dozen rounds is more.
    """
    fifth = len(samples) // 5
    before, after = least(samples[fifth : 2 * fifth]), least(samples[-fifth:])
    assert after.descriptors <= before.descriptors + 1 + 2 * agents, (before, after)
    assert after.own_bytes <= before.own_bytes + GROWN_BYTES, (before, after)


def test_many_rounds_with_agents_that_die_come_to_the_same_states(
    faults: Faults, start: Start, undisturbed: Undisturbed
) -> None:
    setting = replace(LIVES, rounds=faults.tries(15, 200))
    quiet = undisturbed(setting)
    words = f"{setting.rounds} rounds with agents of a mean life of {MEAN_LIFE_ROUNDS:g} rounds"
    with closing(start(setting)) as ground, faults.trying(words) as attempt:
        assert ground.controller is not None
        ground.until_seen(AgentJoined, setting.agents)
        reaper = Reaper(ground, seed=8)
        [samples] = watched(ground, [ground.controller.pid], reaper.look)
        attempt.recovered(reaper.longest_gap_s)
        attempt.grew(check_end(ground, quiet))
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
