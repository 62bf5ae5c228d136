"""Connections that break, lag, lose and flip bytes, or fall silent: the run's states are those of a quiet wire."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from crossing import notices, over_a_wire
from ground import Setting
from keyring import make_keys
from ledger import Faults
from quiet import Quiet, check_end, check_growth
from wire import Mischief

SETTING = Setting(rounds=4, state_bytes=300_000, rate_mbps=16.0, lost_after_s=1.5, sets=("rounds.deadline_s=300",))
"""So slow that an agent is in the middle of a task most of the time."""
ALONE_BYTES = 60_000
"""Of each stream so much is left alone: more than provisioning takes, so that it is tasks that are disturbed."""
Undisturbed = Callable[..., Quiet]


@pytest.mark.parametrize(
    ("fault", "mischief", "secured"),
    [
        ("a proxy that cuts connections", Mischief(cut_every_bytes=400_000, after_bytes=ALONE_BYTES), False),
        ("a proxy that cuts encrypted connections", Mischief(cut_every_bytes=400_000, after_bytes=ALONE_BYTES), True),
        (
            "a proxy that loses bytes of encrypted connections",
            Mischief(lose_every_bytes=500_000, after_bytes=ALONE_BYTES, most=1),
            True,
        ),
        (
            "a proxy that loses stretches of encrypted connections again and again",
            Mischief(lose_every_bytes=500_000, lost_at_once_bytes=1000, after_bytes=ALONE_BYTES, most=12),
            True,
        ),
        ("a proxy that delays each piece by up to 20 ms", Mischief(delay_s=0.02), True),
    ],
)
def test_a_bad_wire_costs_time_and_no_update(
    faults: Faults, undisturbed: Undisturbed, tmp_path: Path, fault: str, mischief: Mischief, secured: bool
) -> None:
    keys = make_keys(tmp_path / "keys") if secured else None
    quiet = undisturbed(SETTING, secured)
    for seed in range(faults.tries(1, 10)):
        folder = tmp_path / str(seed)
        crossed = over_a_wire(folder, SETTING, mischief, seed, keys)
        with faults.trying(fault) as attempt, crossed as (ground, wire):
            attempt.grew(check_end(ground, quiet))
            assert (wire.done.total() > 0) == (mischief.delay_s == 0.0)
            assert notices(ground) > 0 or mischief.delay_s


def test_a_thousand_flipped_bits_cost_time_and_no_update(
    faults: Faults, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    quiet = undisturbed(SETTING, secured=True)
    keys, flips, wanted = make_keys(tmp_path / "keys"), 0, faults.tries(20, 1000)
    for seed in range(wanted):
        if flips >= wanted:
            break
        mischief = Mischief(flip_every_bytes=200_000)
        with (
            faults.trying("bits flipped at random in an encrypted run") as attempt,
            over_a_wire(tmp_path / str(seed), SETTING, mischief, seed, keys) as (ground, wire),
        ):
            attempt.grew(check_end(ground, quiet))
            assert notices(ground) > 0
            flips += wire.done["flipped"]
    assert flips >= wanted


def test_flipped_bits_on_plain_sockets_end_neither_the_controller_nor_the_run(
    faults: Faults, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    quiet = undisturbed(SETTING)
    for seed in range(faults.tries(1, 10)):
        mischief = Mischief(flip_every_bytes=300_000)
        with (
            faults.trying("bits flipped at random in a plain run (its result may be wrong)") as attempt,
            over_a_wire(tmp_path / str(seed), SETTING, mischief, seed) as (ground, wire),
        ):
            ground.finish()
            attempt.grew(check_growth(ground, quiet))
            assert wire.done["flipped"] > 0


def test_connections_that_a_router_forgets_are_given_up_and_replaced(
    faults: Faults, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    quiet = undisturbed(SETTING)
    for number in range(faults.tries(1, 10)):
        folder = tmp_path / str(number)
        with (
            faults.trying("connections that fall silent and stay open") as attempt,
            over_a_wire(folder, SETTING) as (ground, wire),
        ):
            ground.until_progress(number)
            ground.until(lambda ground=ground: ground.there("runs/*/updates/*/*.part"), "half an update")
            assert wire.forget() > 0
            attempt.recovered(ground.until_progress(ground.progress() + 2))
            attempt.grew(check_end(ground, quiet))
            assert notices(ground) > 0
