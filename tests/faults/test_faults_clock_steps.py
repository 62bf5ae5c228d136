"""Clocks that step by minutes: nobody is lost for it, no deadline passes, and every duration stays what it was."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from itertools import cycle
from pathlib import Path
from typing import Any

import msgspec
from ground import Ground, Setting
from ledger import Faults
from quiet import Quiet, check_end
from stepped_clock import SteppedClock

from harness.rounds.events import AgentLost, DeadlinePassed, TaskFailed
from harness.store import RunFolder

STEP_S = 288
"""As Jepsen steps clocks."""
STEPS = ((STEP_S, -STEP_S), (0, STEP_S), (-STEP_S, 0), (STEP_S, STEP_S), (-STEP_S, -STEP_S), (0, 0))
"""How far controller and agents are off, one after another: together and apart, by steps of up to 576 s."""
RUN = Setting(rounds=4, clients=4, state_bytes=100_000, rate_mbps=8, lost_after_s=10.0)


def test_a_process_sees_its_wall_clock_step_and_no_other_clock(tmp_path: Path) -> None:
    clock = SteppedClock.made(tmp_path, "clock")
    clock.step(-STEP_S)
    code = "import time; print(time.time(), time.monotonic())"
    line = [sys.executable, "-c", code]
    began_s = time.time()
    said = subprocess.run(line, env=clock.environment(), capture_output=True, text=True, check=True).stdout
    wall_s, monotonic_s = map(float, said.split())
    assert began_s - 1 < wall_s + STEP_S < time.time() + 1
    assert 0 <= time.monotonic() - monotonic_s < STEP_S / 2


def test_clocks_that_step_while_a_run_goes_on_change_neither_its_state_nor_its_durations(
    start: Callable[..., Ground], undisturbed: Callable[..., Quiet], faults: Faults, tmp_path: Path
) -> None:
    quiet = undisturbed(RUN)
    here, there = SteppedClock.made(tmp_path, "controller"), SteppedClock.made(tmp_path, "agents")
    for _ in range(faults.tries(1, 5)):
        words = f"the clocks of controller and agents step by {STEP_S} s and more at each update"
        with faults.trying(words) as attempt:
            here.step(-STEP_S)  # before the start, so that the header tells whether the controller saw it
            began_s = time.monotonic()
            ground = start(RUN, controller_env=here.environment(), agent_env=there.environment())
            ahead_s = seconds_ahead(ground.run)
            step_through(ground, here, there)
            lasted_s = time.monotonic() - began_s
            assert -2 * STEP_S < ahead_s < -STEP_S / 2
            assert any(went_back(agent.said()) for agent in ground.agents.values())
            assert [ground.count(kind) for kind in (AgentLost, TaskFailed, DeadlinePassed)] == [0, 0, 0]
            attempt.grew(check_end(ground, quiet))
            told = dict(durations_of(ground.run))
            assert len(told) > 100
            assert not {name: value for name, value in told.items() if not 0 <= value <= lasted_s}
            ground.close()


def step_through(ground: Ground, controller: SteppedClock, agents: SteppedClock) -> None:
    """Step both clocks at each update, until the run's end."""
    for controller_s, agents_s in cycle(STEPS):
        seen = len(ground.updates())
        controller.step(controller_s)
        agents.step(agents_s)
        ground.until(lambda seen=seen: len(ground.updates()) > seen or ground.done(), "an update")
        if ground.done():
            return


def seconds_ahead(run: Path) -> float:
    """How far ahead of the right time a run says that it started."""
    started_at = datetime.fromisoformat(RunFolder.open(run).read_header().started_at)
    return (started_at - datetime.now(timezone.utc)).total_seconds()


def went_back(log: str) -> bool:
    """Whether the stamps of some lines are earlier than those of lines before them."""
    stamps = re.findall(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", log, re.MULTILINE)
    return stamps != sorted(stamps)


def durations_of(run: Path) -> Iterator[tuple[str, float]]:
    """All durations that stand in a run's records and events, by where they stand."""
    folder = RunFolder.open(run)
    records = [folder.read_header(), *folder.read_rounds(), *folder.read_clients(), *folder.read_events()]
    for number, record in enumerate(records):
        told: dict[str, Any] = msgspec.to_builtins(record)
        for name, value in [*told.items(), *told.get("record", {}).items()]:
            if name.endswith("_s") and value is not None:
                yield f"{type(record).__name__} {number}: {name}", value
