"""Runs that belong in one figure: of one model, data set and partition; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis import units
from analysis.goals import drawn_places, goal_of
from analysis.groups import Group, groups_of, marks_words, seeds_shown
from analysis.load import Run
from analysis.plots import slug
from harness.profiles import Experiment

SEEDS = "Lines are medians over seeds, bands go from the least to the greatest."


@dataclass(frozen=True)
class Panel:
    """Runs that differ in method, seed and settings of training alone. ``words`` is empty where there is one panel."""

    words: str
    runs: tuple[Run, ...]

    def name(self, base: str, place: int | None = None) -> str:
        """The name of a figure's file, told apart from those of other panels and, with a place, of other targets."""
        parts = [base, self.words, _metric_part(self.runs, place)]
        return "-".join(filter(None, map(slug, parts)))

    def title(self, base: str, place: int | None = None) -> str:
        """The title, with what tells the panel apart."""
        return ", ".join(filter(None, [base, self.words, _metric_part(self.runs, place)]))

    def caption(
        self, *sentences: str, over_seeds: str = SEEDS, groups: Sequence[Group] = (), marked: bool = True
    ) -> str:
        """The sentences, and what has to be said of these runs beside any figure: settings, seeds, stand-ins.

        ``groups`` are the lines of the figure, where they are not those that differ by their seeds alone; ``marked``:
        their marks tell a method's settings apart.
        """
        over = over_seeds if seeds_shown(self.runs) else ""
        marks = marks_words(groups or groups_of(self.runs)) if marked else ""
        said = [*sentences, marks, over, *_stand_ins(self.runs)]
        return " ".join(filter(None, said))


def panels_of(runs: Sequence[Run], by_alpha: bool = True) -> tuple[Panel, ...]:
    """The runs by model, data set and partition, in their order; all alphas together where not ``by_alpha``."""
    members: dict[tuple[str, ...], list[Run]] = {}
    for run in runs:
        members.setdefault(_setting(run.experiment, by_alpha), []).append(run)
    columns = list(zip(*members, strict=True))
    telling = [at for at, column in enumerate(columns) if len(set(column)) > 1]
    return tuple(Panel(", ".join(key[at] for at in telling if key[at]), tuple(found)) for key, found in members.items())


def clock_words(runs: Sequence[Run]) -> str:
    """What the time of these runs is, as a sentence."""
    clocks = units.listing(sorted({str(run.header.clock) for run in runs if run.header.clock}) or ["not started"])
    return f"Time is that of the benchmark clock ({clocks}), which starts with what a method computes and ships once."


def _setting(of: Experiment, by_alpha: bool) -> tuple[str, ...]:
    """Model, data set and partition in words; the partition without its alpha where not ``by_alpha``."""
    alpha = f"alpha {of.partition.alpha:g}" if by_alpha and "dirichlet" in of.partition.kind else ""
    return of.model.timed_as or of.model.name, of.dataset.name, of.partition.kind, alpha


def _metric_part(runs: Sequence[Run], place: int | None) -> str:
    several = place is not None and len(drawn_places(runs)) > 1
    return goal_of(runs, place or 0).metric_words if several else ""


def _stand_ins(runs: Sequence[Run]) -> list[str]:
    models = dict.fromkeys((run.experiment.model.name, run.experiment.model.timed_as) for run in runs)
    return [
        f"A stand-in was trained, {trained}: its seconds are those of {timed_as}, its metrics and bytes its own."
        for trained, timed_as in models
        if timed_as is not None and timed_as != trained
    ]
