"""The best metric within a budget of rounds, seconds or bytes, by method: FeDeRA's Figure 9; pure."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate

from analysis import units
from analysis.axes import far_apart, logarithmic
from analysis.goals import drawn_places, goal_of
from analysis.groups import groups_of
from analysis.load import Run
from analysis.paper.bands import add_band, held
from analysis.paper.panels import Panel, clock_words
from analysis.plots import Drawn, blank, plain

ROUNDS = units.Unit("rounds", 1, 0)
_Spent = Callable[[Run], list[float]]


def budgets(panel: Panel) -> tuple[Drawn, ...]:
    """Three figures for each metric that is aimed at: its best value so far against what was spent by then."""
    places = drawn_places(panel.runs)
    return tuple(
        _budget(panel, place, name, unit, spent)
        for place in places
        for name, unit, spent in (
            ("rounds", ROUNDS, _rounds),
            ("seconds", units.legible_time_unit(s for run in panel.runs for s in _seconds(run)), _seconds),
            ("bytes", units.byte_unit(b for run in panel.runs for b in _bytes(run)), _bytes),
        )
    )


def _budget(panel: Panel, place: int, of: str, unit: units.Unit, spent: _Spent) -> Drawn:
    goal = goal_of(panel.runs, place)
    what = {"rounds": "rounds", "seconds": f"time, {unit.symbol}", "bytes": f"payload both ways, {unit.symbol}"}[of]
    figure = blank(f"budget: {what}", plain(f"best {goal.metric_words}"))
    drawn: list[float] = []
    for group in groups_of(goal.runs):
        metric = group.runs[0].experiment.targets[place].metric
        band = held([best_within(run, metric, spent(run)) for run in group.runs])
        band = band.moved({x: x for x in band.xs}, unit.divisor)
        add_band(figure, group, band, f"%{{x:.4~g}} {unit.symbol}<br>%{{y:.4f}}", steps=True)
        drawn += band.xs
    if of != "rounds" and far_apart(drawn):
        figure.update_xaxes(**logarithmic(drawn))
    else:
        figure.update_xaxes(rangemode="tozero")
    return Drawn(
        name=panel.name(f"figure-9-budget-of-{of}", place),
        title=panel.title(f"Figure 9: best metric within a budget of {of}", place),
        caption=panel.caption(
            f"The highest metric that a method had reached by the time that it had spent so many {of}, "
            "after FeDeRA's Figure 9.",
            {"seconds": clock_words(panel.runs), "bytes": "Bytes are payload, up and down."}.get(of, ""),
        ),
        figure=figure,
    )


def best_within(run: Run, metric: str, spent: list[float]) -> dict[float, float]:
    """The best value of a metric by what was spent when it became so, and by what was spent at the last evaluation."""
    points = [(x, r.metrics[metric]) for x, r in zip(spent, run.rounds, strict=True) if metric in r.metrics]
    best = list(accumulate((y for _, y in points), max))
    steps = zip((x for x, _ in points), best, [None, *best], strict=False)
    return {x: y for x, y, before in steps if y != before or x == points[-1][0]}


def _rounds(run: Run) -> list[float]:
    return [float(record.round) for record in run.rounds]


def _seconds(run: Run) -> list[float]:
    return [record.elapsed_s for record in run.rounds]


def _bytes(run: Run) -> list[float]:
    return [float(sent) for sent in accumulate(r.download_bytes + r.upload_bytes for r in run.rounds)]
