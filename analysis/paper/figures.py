"""Figures 1 and 3 to 9 of the FeDeRA paper (arXiv 2404.18848), drawn from runs; pure.

Figure 2 is a drawing of the method. Each figure is made only where the runs can fill it: 4 needs two alphas, 5 and 6
a recorded drift, 7 a recorded partition.
"""

from __future__ import annotations

from collections.abc import Sequence

from analysis import stats, units
from analysis.load import Run
from analysis.methods import fleets
from analysis.paper.budget import budgets
from analysis.paper.curves import by_round, by_time
from analysis.paper.drift_figures import drift_figures
from analysis.paper.heterogeneity import by_alpha
from analysis.paper.overview import overviews
from analysis.paper.panels import Panel, panels_of
from analysis.partition_figures import divergence_map
from analysis.partitions import SharedPartition, divergence_text, shared_partitions
from analysis.plots import Drawn

DIVERGENCE = "figure-7-divergence"
BY_PANEL = (overviews, by_round, drift_figures, by_time, budgets)
"""What is drawn of each model, data set and partition by itself."""


def paper_figures(runs: Sequence[Run]) -> tuple[Drawn, ...]:
    """The paper's figures that these runs can fill, in its order: one for each model, data set and partition.

    Null runs learn nothing, so that there is nothing to draw of them; the paper has no references.
    """
    runs = [run for run in stats.in_order(fleets(runs)) if run.experiment.train.trainer != "null" and run.rounds]
    if not runs:
        return ()
    drawn = [
        *(each for panel in panels_of(runs) for draw in BY_PANEL for each in draw(panel)),
        *(each for panel in panels_of(runs, by_alpha=False) for each in by_alpha(panel)),
        *divergence_figures(runs),
    ]
    return tuple(sorted(drawn, key=_number))


def divergence_figures(runs: Sequence[Run]) -> tuple[Drawn, ...]:
    """Figure 7: a heat map for each partition that runs recorded."""
    shared = shared_partitions(runs)
    names = _names(runs, shared)
    return tuple(
        Drawn(
            name=Panel(name, ()).name(DIVERGENCE),
            title=Panel(name, ()).title("Figure 7: divergence between clients"),
            caption=f"Jensen-Shannon divergence (base 2) of the classes of each two clients; partition {each.kind}; "
            f"mean of pairs {divergence_text(each.mean_of_pairs)}. After FeDeRA's Figure 7 and A.4, whose printed "
            "formula has no bound.",
            figure=divergence_map(each),
        )
        for name, each in zip(names, shared, strict=True)
    )


def _names(runs: Sequence[Run], shared: Sequence[SharedPartition]) -> list[str]:
    """What tells partitions apart; their number where that is no name."""
    if len(shared) < 2:
        return [""] * len(shared)
    data = {run.partition: run.experiment.dataset.name for run in runs if run.partition is not None}
    several = len(set(data.values())) > 1
    names = [f"{data[each.partition]}, {each.kind}" if several else each.kind for each in shared]
    return [name if names.count(name) == 1 else f"{name}, {units.count(at)}" for at, name in enumerate(names, start=1)]


def _number(drawn: Drawn) -> int:
    """The paper's number of a figure, which stands in its name."""
    return int(drawn.name.split("-")[1])
