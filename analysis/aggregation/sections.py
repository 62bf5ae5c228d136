"""The parts of a report about aggregation: the table and the errors, the clients' own metrics, privacy. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from analysis import units
from analysis.aggregation.figures import error_figures
from analysis.aggregation.own import WINDOW, clients_of, own_figure, own_table
from analysis.aggregation.privacy import privacy_table
from analysis.aggregation.privacy_figures import privacy_figures
from analysis.aggregation.table import aggregation_tables
from analysis.goals import drawn_places, goal_of, goals_of
from analysis.groups import groups_of, marks_words
from analysis.load import Run
from analysis.methods import is_reference
from analysis.parts import Block, Chart, Charts, Folded, Legend, Links, TablePart, Text, chart
from analysis.plots import Drawn
from analysis.rendering import Table

MOST_OPEN, MOST_DRAWN = 6, 24
"""Clients whose charts are drawn at once, and at all."""
THREE = 3
"""Charts that fill a row if they are small."""
ERRORS_LEAD = (
    "Full-rank averaging would take the weighted mean of the clients' products s B A. The errors are the norms of what "
    "is missing from it, as a share of what the round changed. Methods change by different norms (last figure): the "
    "same share is not the same error."
)


def extra_tables(runs: Sequence[Run]) -> tuple[Table, ...]:
    """The tables of these sections that have rows, in the order of a report."""
    places = range(len(goals_of(runs)))
    found = (*aggregation_tables(runs), *(of(runs, place) for of in (own_table, privacy_table) for place in places))
    return tuple(table for table in found if table.rows)


def aggregation_blocks(runs: Sequence[Run], links: Links) -> Iterable[Block]:
    """One table of all that ways of aggregating are compared by, and what each loses by round."""
    yield from _tables(aggregation_tables(runs), links)
    if drawn := error_figures(runs):
        yield Text(ERRORS_LEAD)
        yield from _legend(runs)
        yield Charts(tuple(_chart(each, links) for each in drawn))


def own_blocks(runs: Sequence[Run], links: Links) -> Iterable[Block]:
    """The metric of each client's own model by round; nothing where none was evaluated."""
    clients = clients_of(runs)
    if not clients:
        return
    yield from _tables([own_table(runs, place) for place in range(len(goals_of(runs)))], links)
    yield Text(_how_drawn(runs, len(clients)))
    yield from _legend(runs)
    charts = tuple(
        _chart(_of_client(runs, client, place), links)
        for place in drawn_places(runs)
        for client in clients[:MOST_DRAWN]
    )
    yield Charts(charts[:MOST_OPEN], small=len(charts) >= THREE)
    if more := charts[MOST_OPEN:]:
        yield Folded(units.counted(len(more), "more chart"), (Charts(more, small=True),))


def privacy_blocks(runs: Sequence[Run], links: Links) -> Iterable[Block]:
    """Accuracy against epsilon; nothing of runs without privacy."""
    yield from _tables([privacy_table(runs, place) for place in range(len(goals_of(runs)))], links)
    if drawn := privacy_figures(runs):
        yield Legend("methods")
        yield Charts(tuple(_chart(each, links) for each in drawn))


def _legend(runs: Sequence[Run]) -> Iterable[Block]:
    """The legend of methods, and below it what tells a method's settings apart."""
    yield Legend("methods")
    if words := marks_words(groups_of(runs)):
        yield Text(words, "note")


def _of_client(runs: Sequence[Run], client: int, place: int) -> Drawn:
    goal = goal_of(runs, place)
    metric = f", {goal.metric_words}" if len(drawn_places(runs)) > 1 else ""
    return Drawn(f"client-{client}{goal.suffix}", f"Client {client}{metric}", "", own_figure(runs, client, place))


def _how_drawn(runs: Sequence[Run], clients: int) -> str:
    said = [f"Each client's own model, round by round: thin as it is, thick the mean of the last {WINDOW} values."]
    if any(map(is_reference, runs)):
        said.append("The reference is the same in each chart: its one model.")
    if clients > MOST_DRAWN:
        said.append(f"Drawn are the first {MOST_DRAWN} of {clients} clients.")
    return " ".join(said)


def _tables(found: Iterable[Table], links: Links) -> Iterable[TablePart]:
    return (TablePart(table, links.tables.get(table.name, ())) for table in found if table.rows)


def _chart(drawn: Drawn, links: Links) -> Chart:
    return chart(drawn, links=links.figures.get(drawn.name, ()))
