"""The cable is pulled, or goes dead in one direction, and comes back: the run's states are those of a quiet network."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from crossing import notices
from ground import Ground, Setting
from keyring import make_keys
from lab import CONTROLLER, Lab
from ledger import Faults
from quiet import Quiet, check_end

PORT = 5555
SETTING = Setting(
    rounds=5,
    state_bytes=60_000,
    rate_mbps=4.0,
    lost_after_s=0.7,
    sets=("agents.join_timeout_s=300", "rounds.deadline_s=300"),
)


@pytest.fixture
def quiet(undisturbed: Callable[..., Quiet]) -> Quiet:
    return undisturbed(SETTING, secured=True)


@contextmanager
def in_a_lab(folder: Path) -> Iterator[tuple[Ground, Lab]]:
    with Lab() as lab:
        endpoint, keys = f"tcp://{CONTROLLER}:{PORT}", str(make_keys(folder / "keys"))
        prefixes = lab.at_controller("--bind", endpoint, "--keys", keys), lab.at_agents("--keys", keys)
        with Ground(folder / "run", SETTING, PORT, endpoint, *prefixes) as ground:
            yield ground, lab


def passed(seconds: float) -> Callable[[], bool]:
    """A fact that is true so many seconds from now."""
    limit_s = time.monotonic() + seconds
    return lambda: time.monotonic() > limit_s


def outage(ground: Ground, seconds: float, begin: Callable[[], None], end: Callable[[], None]) -> float:
    """An outage in the middle of a run; seconds from its end until the run went on."""
    ground.until_progress(ground.progress() + 2)
    begin()
    ground.until(passed(seconds), "the end of the outage")
    end()
    return ground.until_progress(ground.progress())


@pytest.mark.parametrize("seconds", [1.0, 10.0, 60.0])
def test_a_pulled_cable_costs_time_and_no_update(faults: Faults, quiet: Quiet, tmp_path: Path, seconds: float) -> None:
    tries = faults.tries(1 if seconds == 1.0 else 0, 5 if seconds < 60 else 2)
    if not tries:
        pytest.skip("long outages are for --tries full")
    for number in range(tries):
        with (
            faults.trying(f"link down for {seconds:g} s") as attempt,
            in_a_lab(tmp_path / str(number)) as (ground, lab),
        ):
            attempt.recovered(outage(ground, seconds, lab.pull, lab.plug))
            attempt.grew(check_end(ground, quiet))
            assert notices(ground) > 0


@pytest.mark.parametrize("way", ["agents", "controller"])
def test_a_link_that_is_dead_in_one_direction_costs_time_and_no_update(
    faults: Faults, quiet: Quiet, tmp_path: Path, way: str
) -> None:
    for number in range(faults.tries(1, 5)):
        with (
            faults.trying(f"half-open: nothing arrives at the {way}") as attempt,
            in_a_lab(tmp_path / str(number)) as (ground, lab),
        ):
            seconds = 2.0 * (number + 1)
            attempt.recovered(outage(ground, seconds, lambda: lab.deafen(way), lambda: lab.hear_again(way)))
            attempt.grew(check_end(ground, quiet))
            assert notices(ground) > 0
