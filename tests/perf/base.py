"""What a benchmark is: figures with all their values, and how two things are measured side by side in one run."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One figure: a value for each repetition (warm-ups left out), and what must be reached by their median."""

    name: str
    unit: str
    values: tuple[float, ...]
    at_most: float | None = None
    at_least: float | None = None

    @property
    def median(self) -> float:
        """The middle value."""
        return statistics.median(self.values)

    @property
    def spread(self) -> tuple[float, float]:
        """The lowest and the highest value."""
        return min(self.values), max(self.values)

    @property
    def limited(self) -> bool:
        """Whether something must be reached."""
        return self.at_most is not None or self.at_least is not None

    @property
    def reached(self) -> bool | None:
        """Whether the median is within its limits; None of a figure without any."""
        if not self.limited:
            return None
        high, low = self.at_most, self.at_least
        return (high is None or self.median <= high) and (low is None or self.median >= low)


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What a benchmark found. ``profile``: where the time goes, as a profiler tells, where a limit was missed."""

    letter: str
    figures: tuple[Figure, ...]
    remark: str = ""
    profile: str = ""


@dataclass(frozen=True)
class Pace:
    """How a benchmark is run: ``repetitions`` after ``warm_ups``, or, ``quick``, small and once, to see that it works.

    ``folder`` is its own, and empty; ``say`` tells a person what it does.
    """

    folder: Path
    say: Callable[[str], None]
    repetitions: int = 5
    warm_ups: int = 1
    quick: bool = False

    def side_by_side(self, measures: Mapping[str, Callable[[], float]]) -> dict[str, list[float]]:
        """The values of each measure, one for each repetition: taken in turns, every second turn backwards."""
        values: dict[str, list[float]] = {name: [] for name in measures}
        for turn in range(self.warm_ups + self.repetitions):
            for name in list(measures)[:: 1 if turn % 2 == 0 else -1]:
                value = measures[name]()
                if turn >= self.warm_ups:
                    values[name].append(value)
                    self.say(f"{name}: {value:.4g} ({turn - self.warm_ups + 1} of {self.repetitions})")
        return values

    def counted(self, values: Sequence[float]) -> tuple[float, ...]:
        """Of values that were noted in every turn, those of the repetitions: without the warm-ups'."""
        return tuple(values[-self.repetitions :])


@dataclass(frozen=True)
class Benchmark:
    """A benchmark of the suite: its ``letter``, a ``title``, what it measures in a paragraph, and how."""

    letter: str
    title: str
    what: str
    run: Callable[[Pace], Result]


def ratios(over: list[float], under: list[float]) -> tuple[float, ...]:
    """Ratios of values that were measured in the same turn."""
    return tuple(one / other for one, other in zip(over, under, strict=True))
