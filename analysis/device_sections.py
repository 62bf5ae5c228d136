"""The parts of a report that tell of devices: their energy, what they are, and their rounds over time. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from analysis import energy, energy_figures, gantt, stats, units
from analysis.devices import devices_table
from analysis.energy_tables import energies_to_targets, energy_rails
from analysis.goals import drawn_places, goal_of, goals_of
from analysis.groups import groups_of
from analysis.load import Run
from analysis.parts import Block, Chart, Charts, Folded, Legend, Links, TablePart, Text, chart
from analysis.plots import Drawn, slug
from analysis.rendering import Table
from analysis.trace.course import course_of

MOST_OPEN = 2
"""Groups of runs whose rounds are drawn at once; those of more are folded."""
MOST_DRAWN = 12
"""Groups whose rounds are drawn at all."""
LEAD = "What each agent did when, in seconds since the round began; a task's grey parts belong to no phase."


def energy_blocks(runs: Sequence[Run], links: Links) -> Iterable[Block]:
    """Tables and figures of energy; nothing where no joule was measured."""
    if not any(energy.is_measured(run) for run in runs):
        return
    yield from _tables(energies_to_targets(runs), links)
    yield Legend("methods")
    drawn = []
    for place in drawn_places(runs):
        goal = goal_of(runs, place)
        title = f"{goal.metric_words[:1].upper()}{goal.metric_words[1:]} against energy"
        figure = energy_figures.metric_by_energy(runs, place)
        drawn.append(Drawn(f"metric-by-energy{goal.suffix}", title, "", figure))
    for place in range(len(goals_of(runs))):
        goal = goal_of(runs, place)
        caption = energy_figures.energy_caption(runs, place)
        figure = energy_figures.energy_by_method(runs, place)
        drawn.append(Drawn(f"energy-by-method{goal.suffix}", f"Energy to {goal.words}", caption, figure))
    yield Charts(tuple(chart(each, links=links.figures.get(each.name, ())) for each in drawn))
    rails = energy_rails(runs)
    if rails.rows:
        yield Folded(rails.title, tuple(_tables([rails], links)))


def device_blocks(runs: Sequence[Run], links: Links) -> Iterable[Block]:
    """The devices as their agents found them; nothing where none told."""
    table = devices_table(runs)
    if table.rows:
        yield from _tables([table], links)


def gantt_blocks(runs: Sequence[Run], links: Links) -> Iterable[Block]:
    """The first, the median and the slowest round of each group's first run, by agent; nothing without events."""
    groups = [group for group in groups_of(runs) if group.runs[0].events]
    labels = dict(zip((run.header.run_id for run in runs), stats.labels(runs), strict=True))
    found = [tuple(_rounds(group.runs[0], labels[group.runs[0].header.run_id], links)) for group in groups[:MOST_DRAWN]]
    found = [charts for charts in found if charts]
    if not found:
        return
    yield Text("Rounds by agent", "whose")
    yield Text(LEAD)
    every = tuple(Charts(charts, small=True) for charts in found)
    if len(found) > MOST_OPEN:
        yield Folded(f"First, median and slowest round of {units.counted(len(found), 'run')}", every)
    else:
        yield from every


def _rounds(run: Run, label: str, links: Links) -> Iterable[Chart]:
    course = course_of(run)
    for chosen in gantt.chosen_rounds(course):
        number = chosen.span.record.round
        drawn = Drawn(
            f"round-{number}-of-{slug(label)}",
            f"{label}, round {number} ({chosen.why})",
            gantt.gantt_caption(course, chosen.span),
            gantt.gantt(course, chosen.span),
        )
        yield chart(drawn, method=run.header.method, links=links.figures.get(drawn.name, ()))


def _tables(found: Iterable[Table], links: Links) -> Iterable[TablePart]:
    return (TablePart(table, links.tables.get(table.name, ())) for table in found)
