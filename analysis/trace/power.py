"""The watts of agents' rails over a run: what a trace shows of ``telemetry.parquet``. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MOST_SAMPLES = 20_000
"""Of an agent in a trace: of more, each is the mean of several that follow each other."""


@dataclass(frozen=True)
class Power:
    """Watts of one agent by rail ("total" is the device's): ``watts[rail][k]`` at ``at_s[k]`` on the run's clock.

    None: not read then.
    """

    at_s: tuple[float, ...]
    watts: dict[str, tuple[float | None, ...]]


def thinned(power: Power, most: int = MOST_SAMPLES) -> Power:
    """At most so many samples, each the mean of those that it stands for, at the moment of the first of them."""
    step = -(-len(power.at_s) // most) if power.at_s else 1
    if step == 1:
        return power
    return Power(power.at_s[::step], {rail: _means(values, step) for rail, values in power.watts.items()})


def _means(values: Sequence[float | None], step: int) -> tuple[float | None, ...]:
    parts = ([each for each in values[at : at + step] if each is not None] for at in range(0, len(values), step))
    return tuple(sum(part) / len(part) if part else None for part in parts)
