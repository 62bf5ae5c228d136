"""What differential privacy costs: epsilon at delta, by Opacus' accountants. Free of torch until one is asked for."""

from __future__ import annotations

import importlib
import logging
import math
import warnings
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Literal

from harness.errors import UsageError
from harness.profiles.methods import PrivacyProfile
from harness.records import PrivacySpent

Unit = Literal["sample", "client"]
Accountant = Literal["rdp", "prv"]

MOST_PRV_EPSILON = 50.0
"""Above it the PRV accountant's mesh takes minutes, for a bound that protects nobody: RDP tells it at once."""
KEPT_EPSILONS = 4096


def rate_of(samples: int, batch_size: int) -> float:
    """q, the share of a client's ``samples`` that a step draws in the mean: batch over n, at most 1."""
    return min(1.0, batch_size / samples)


def spent(
    privacy: PrivacyProfile, sample_rate: float, steps: int, unit: Unit, *, exact: bool = True
) -> PrivacySpent | None:
    """What ``steps`` of noise have spent, each on a share ``sample_rate`` of the units, drawn independently (Poisson).

    Epsilon is what Opacus' own accountant of that name tells for one mechanism composed ``steps`` times. PRV's above
    MOST_PRV_EPSILON is told by RDP, an upper bound too, and the record names RDP. None where there is no bound: no
    noise, or too little for a finite number.

    Raises:
        UsageError: Opacus is not installed.
    """
    if privacy.noise_multiplier == 0:
        return None
    epsilon, accountant = _epsilon(
        privacy.accountant, privacy.noise_multiplier, privacy.delta, float(sample_rate), int(steps)
    )
    if not math.isfinite(epsilon):
        return None
    return PrivacySpent(
        epsilon=epsilon,
        delta=privacy.delta,
        unit=unit,
        noise_multiplier=privacy.noise_multiplier,
        clip=privacy.clip,
        sample_rate=sample_rate,
        steps=steps,
        accountant=accountant,
        exact=exact,
    )


def most_spent(
    privacy: PrivacyProfile, shares: Iterable[tuple[float, int]], unit: Unit, *, exact: bool = True
) -> PrivacySpent | None:
    """:func:`spent` of that one of ``shares``, pairs of sample rate and steps, whose epsilon is the greatest.

    Only pairs that no other one is above in both are asked for: epsilon rises with the rate and with the steps. None
    without shares, or without a bound.

    Raises:
        UsageError: Opacus is not installed.
    """
    found = [spent(privacy, rate, steps, unit, exact=exact) for rate, steps in foremost(shares)]
    known = [one for one in found if one is not None]
    # One without a bound is the greatest.
    return max(known, key=lambda one: one.epsilon) if known and len(known) == len(found) else None


def foremost(shares: Iterable[tuple[float, int]]) -> list[tuple[float, int]]:
    """The pairs of rate and steps that none is above in both, by falling rate and rising steps."""
    kept: list[tuple[float, int]] = []
    for rate, steps in sorted(set(shares), reverse=True):
        if not kept or steps > kept[-1][1]:
            kept.append((rate, steps))
    return kept


def opacus_module(name: str) -> Any:
    """``opacus.<name>``. Opacus sets up the root logger when it is imported, which is this program's own business.

    Raises:
        UsageError: Opacus is not installed.
    """
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        return importlib.import_module(f"opacus.{name}")
    except ModuleNotFoundError as error:
        raise UsageError(
            f"differential privacy needs Opacus, and there is no {error.name}; pip install 'federa-bench[privacy]'"
        ) from None
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


@lru_cache(maxsize=KEPT_EPSILONS)
def _epsilon(
    accountant: Accountant, noise_multiplier: float, delta: float, sample_rate: float, steps: int
) -> tuple[float, Accountant]:
    """Epsilon, and who tells it."""
    if steps == 0:
        return 0.0, accountant
    bound = _told("rdp", noise_multiplier, delta, sample_rate, steps)
    if accountant == "rdp" or bound > MOST_PRV_EPSILON:
        return bound, "rdp"
    return _told("prv", noise_multiplier, delta, sample_rate, steps), "prv"


def _told(name: Accountant, noise_multiplier: float, delta: float, sample_rate: float, steps: int) -> float:
    accountant = opacus_module("accountants").create_accountant(name)
    accountant.history = [(noise_multiplier, sample_rate, steps)]
    with warnings.catch_warnings():
        # Logarithms of zero, and an order at the end of RDP's list: the number is an upper bound all the same.
        warnings.simplefilter("ignore")
        try:
            return float(accountant.get_epsilon(delta=delta))
        except ArithmeticError:  # noise so small that its square is zero
            return math.inf
