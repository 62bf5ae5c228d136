"""The part of a report that tells of the clients' data: how far they are apart, and which classes they hold. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from analysis import partition_figures, partitions, units
from analysis.load import Run
from analysis.paper.figures import DIVERGENCE, divergence_figures
from analysis.parts import Block, Chart, Charts, Facts, Links, Scale, Special, Text, chart
from analysis.plots import Drawn

DIVERGENCE_LEAD = (
    "Jensen-Shannon divergence (base 2) compares the class shares of two clients: 0 means the same classes in the same "
    "shares, 1 no class in common. The further clients are apart, the harder it is for their updates to agree."
)


def client_blocks(runs: Sequence[Run], links: Links) -> Iterable[Block]:
    """Maps of divergence and classes for each partition; nothing of runs that recorded none."""
    shared = partitions.shared_partitions(runs)
    if shared:
        yield Text(DIVERGENCE_LEAD)
    for each, drawn in zip(shared, divergence_figures(runs), strict=True):
        if each.labels:
            yield Text(units.listing(each.labels), "whose")
        yield Facts(each.facts)
        yield Scale()
        yield Charts(tuple(_maps(each, drawn, links)))
    if shared and (files := links.tables.get(partitions.partition_table(runs).name)):
        yield Special("files", files)


def _maps(shared: partitions.SharedPartition, divergence: Drawn, links: Links) -> Iterable[Chart]:
    few = len(shared.samples) <= partition_figures.MOST_CELLS_WITH_NUMBERS
    share = f"Share of each class in a client's samples{'; numbers count samples' if few else ''}"
    classes = Drawn(divergence.name.replace(DIVERGENCE, "classes"), share, "", partition_figures.class_map(shared))
    yield chart(divergence, partition_figures.side_px(shared), links.figures.get(divergence.name, ()))
    yield chart(classes, links=links.figures.get(classes.name, ()))
