"""What a report shows, section by section; a section that would hold nothing is left out. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from analysis import facts, figures, link_tables, palette, phase_figures, stats, tables, units
from analysis.aggregation.sections import aggregation_blocks, own_blocks, privacy_blocks
from analysis.caution import Caution, grouped
from analysis.client_sections import client_blocks
from analysis.device_sections import device_blocks, energy_blocks, gantt_blocks
from analysis.front import front_of
from analysis.goals import drawn_places, goal_of, goals_of
from analysis.groups import groups_of, marks_words
from analysis.load import Run
from analysis.methods import contenders, fleets
from analysis.paper.figures import paper_figures
from analysis.paper.tables import paper_tables
from analysis.parts import (
    NO_LINKS,
    Block,
    Chart,
    Charts,
    Folded,
    Legend,
    Link,
    Links,
    Section,
    Special,
    TablePart,
    Text,
    chart,
)
from analysis.plots import Drawn, slug
from analysis.rendering import Table
from analysis.seeds.tables import seed_tables

MOST_OPEN = 6
"""Runs whose rounds are drawn at once; those of more stand folded, as small charts."""
MOST_OF_A_FIGURE = 4
"""Charts of one figure of the paper that are drawn at once."""

THREE = 3
"""Charts that have a row for themselves if they are small."""
CLIENTS = "Clients and their classes"


def sections_of(runs: Sequence[Run], cautions: Sequence[Caution], links: Links = NO_LINKS) -> tuple[Section, ...]:
    """The sections of the report of these runs, in its order; ``links`` are files that were found beside it."""
    found = (
        Section("summary", "Summary", (Special("summary", front_of(runs, cautions)),)),
        Section("time", "Time to target", tuple(_time(runs, links))),
        Section("seeds", "Over seeds", _tables(seed_tables(runs), links)),
        Section("curves", "Curves", tuple(_curves(runs, links))),
        Section("aggregating", "Aggregation", tuple(aggregation_blocks(runs, links))),
        Section("own-models", "The clients' own models", tuple(own_blocks(runs, links))),
        Section("privacy-spent", "Privacy", tuple(privacy_blocks(runs, links))),
        Section("paper-figures", "Figures of the paper", tuple(_paper_figures(runs, links))),
        Section("paper-tables", "Tables of the paper", _tables(paper_tables(runs), links)),
        Section("energy", "Energy", tuple(energy_blocks(runs, links))),
        Section("phases", "Where a round's seconds go", tuple(_phases(runs, links))),
        Section("bytes", "Bytes", tuple(_bytes(fleets(runs), links))),
        Section("clients", CLIENTS, tuple(client_blocks(runs, links))),
        Section("failed-clients", "Failed clients", tuple(_failures(runs, links))),
        Section("agents", "Agents and their devices", tuple(device_blocks(runs, links))),
        Section("runs", "Runs and their files", (Special("runs", _run_list(runs, links)),)),
        Section("environment", "Environment and profile", tuple(_settings(runs))),
        Section("warnings", "Warnings and notes", tuple(_warnings(cautions))),
    )
    return tuple(section for section in found if section.blocks)


def _time(runs: Sequence[Run], links: Links) -> Iterable[Block]:
    for place in range(len(goals_of(runs))):
        yield _table(tables.time_to_target(runs, place), links)
        ranked = contenders(runs)
        if len(ranked) > 1 and any(map(any, goal_of(ranked, place).crossings())):
            fractions = (units.percent(fraction) for fraction in goal_of(ranked, place).fractions)
            yield Legend("methods")
            yield Legend("fractions", tuple(zip(fractions, palette.FRACTION_SYMBOLS, strict=False)))
            drawn = Drawn(
                "milestones", _of(ranked, place, "Time to each fraction of"), "", figures.milestones(ranked, place)
            )
            yield _chart(_named(drawn, ranked, place), links)


def _paper_figures(runs: Sequence[Run], links: Links) -> Iterable[Block]:
    """The figures by their number; of one that is drawn many times, for settings and layers, the first few are open.

    Figure 7 stands with the clients' classes.
    """
    drawn = paper_figures(runs)
    if drawn:
        yield Legend("methods")
    for number, of_number in groupby(drawn, key=lambda each: each.name.split("-")[1]):
        charts = tuple(_chart(each, links) for each in of_number)
        if number == "7":
            yield Text("Figure 7, the divergence between clients, stands under", "quiet", Link(CLIENTS, "#clients"))
            continue
        first = charts[:MOST_OF_A_FIGURE]
        yield Charts(first, small=len(first) == THREE)
        if more := charts[MOST_OF_A_FIGURE:]:
            figure = charts[0].title.partition(":")[0]
            yield Folded(f"{figure}, {units.counted(len(more), 'more chart')}", (Charts(more),))


def _curves(runs: Sequence[Run], links: Links) -> Iterable[Block]:
    """Each metric of a target against time and against rounds."""
    yield Legend("methods")
    yield from _marks(runs)
    charts = []
    for place in drawn_places(runs):
        ends = "" if figures.decided_s(runs, place) is None else "Until every target is decided; double-click: all."
        by_time = Drawn("metric-by-time", _against(runs, place, "time"), ends, figures.metric_by_time(runs, place))
        by_round = Drawn("metric-by-round", _against(runs, place, "rounds"), "", figures.metric_by_round(runs, place))
        charts += [_chart(_named(drawn, runs, place), links) for drawn in (by_time, by_round)]
    yield Charts(tuple(charts))


def _marks(runs: Sequence[Run]) -> Iterable[Block]:
    """What tells a method's settings apart, below the legend of methods."""
    words = marks_words(groups_of(runs))
    if words:
        yield Text(words, "note")


def _phases(runs: Sequence[Run], links: Links) -> Iterable[Block]:
    yield _table(tables.round_phases(runs), links)
    yield Legend("methods")
    yield Legend("phases")
    if len(runs) > 1:
        yield _chart(Drawn("mean-round", "Mean round", "", phase_figures.phases_by_method(runs)), links)
    by_round = Charts(tuple(_rounds_of(runs, links)), small=True)
    if len(runs) > MOST_OPEN:
        yield Folded(f"Each run, round by round ({units.counted(len(runs), 'run')})", (by_round,))
    else:
        yield by_round
    yield from gantt_blocks(runs, links)


def _rounds_of(runs: Sequence[Run], links: Links) -> Iterable[Chart]:
    for label, run in zip(stats.labels(runs), runs, strict=True):
        drawn = Drawn(f"rounds-of-{slug(label)}", f"{label}, round by round", "", phase_figures.phases_by_round(run))
        files = links.figures.get(drawn.name, ())
        yield chart(drawn, method=run.header.method, links=files, digits=phase_figures.DIGITS)


def _bytes(runs: Sequence[Run], links: Links) -> Iterable[Block]:
    if not runs:
        return
    yield _table(link_tables.transfers(runs), links)
    if (rates := link_tables.link_rates(runs)).rows:
        yield _table(rates, links)
    yield Legend("methods")
    yield from _marks(runs)
    drawn = [
        _named(
            Drawn("metric-by-bytes", _against(runs, place, "bytes"), "", figures.metric_by_bytes(runs, place)),
            runs,
            place,
        )
        for place in drawn_places(runs)
    ]
    drawn.append(Drawn("bytes-by-round", "Payload by round", "", figures.bytes_by_round(runs)))
    yield Charts(tuple(_chart(each, links) for each in drawn))


def _failures(runs: Sequence[Run], links: Links) -> Iterable[Block]:
    failed = tables.failures(runs)
    spare = sum(len(record.spare) for run in runs for record in run.rounds)
    if failed.rows:
        yield _table(failed, links)
    elif spare:
        yield Text(
            f"No client failed; {units.counted(spare, 'spare client')} had no need to complete its round.", "quiet"
        )
    else:
        yield Text("Every chosen client completed its round.", "quiet")


def _settings(runs: Sequence[Run]) -> Iterable[Block]:
    environment = facts.settings(runs, [run.header.environment for run in runs])
    profile = facts.settings(runs, [run.header.profile for run in runs])
    yield Folded("Environment", (Special("settings", environment),))
    yield Folded("Profile", (Special("settings", profile),))


def _warnings(cautions: Sequence[Caution]) -> Iterable[Block]:
    if cautions:
        yield Special("warnings", grouped(cautions))


def _run_list(runs: Sequence[Run], links: Links) -> list[tuple[tuple[str, ...], str, tuple[Any, ...]]]:
    return [(facts.run_row(run), run.header.method, links.runs.get(run.header.run_id, ())) for run in runs]


def _table(table: Table, links: Links) -> TablePart:
    return TablePart(table, links.tables.get(table.name, ()))


def _tables(found: Sequence[Table], links: Links) -> tuple[Block, ...]:
    return tuple(_table(table, links) for table in found)


def _chart(drawn: Drawn, links: Links) -> Chart:
    return chart(drawn, links=links.figures.get(drawn.name, ()))


def _named(drawn: Drawn, runs: Sequence[Run], place: int) -> Drawn:
    """The figure of a further target, with a name and an anchor of its own."""
    return Drawn(f"{drawn.name}{goal_of(runs, place).suffix}", drawn.title, drawn.caption, drawn.figure)


def _of(runs: Sequence[Run], place: int, words: str) -> str:
    return f"{words} {goal_of(runs, place).words}"


def _against(runs: Sequence[Run], place: int, what: str) -> str:
    metric = goal_of(runs, place).metric_words
    return f"{metric[:1].upper()}{metric[1:]} against {what}"
