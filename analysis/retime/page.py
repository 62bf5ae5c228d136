"""The page and the tables of retimed runs: what they take under other conditions, and by the rate of their links."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markupsafe import Markup
from plotly.offline import get_plotlyjs

from analysis import caution, facts, palette, summary, units, warnings
from analysis.groups import groups_of, marks_words, seeds_shown
from analysis.page import environment_of
from analysis.parts import Block, Chart, Charts, Legend, Section, Special, TablePart, Text, chart
from analysis.plots import Drawn
from analysis.rendering import Table
from analysis.retime import tables as retime_tables
from analysis.retime.cautions import retime_cautions
from analysis.retime.figure import time_by_rate
from analysis.retime.rates import GoalByRate
from analysis.retime.study import Study, device_words, link_words, rate_bounds_bps
from analysis.sharing import shared

SMALL_PX = 340  # the height of the figures beside the main one


def all_tables(study: Study, goals: Sequence[GoalByRate]) -> tuple[Table, ...]:
    """Every table: times to each target, crossovers, seconds of a round."""
    crossed = (retime_tables.crossover_table(each.goal, each.crossovers) for each in goals)
    return (*retime_tables.all_times(study), *crossed, retime_tables.round_seconds(study))


def render(
    study: Study, goals: Sequence[GoalByRate], range_bps: tuple[float, float], left_out: Sequence[str] = ()
) -> str:
    """The page as HTML, which asks nothing of a network; ``left_out`` are sentences of runs that are missing."""
    experiments = [run.experiment for run in study.recorded]
    return (
        environment_of(palette.legend(run.header.method for run in study.recorded))
        .get_template("report.html")
        .render(
            command="retime",
            title=f"{' · '.join(dict.fromkeys(each.name for each in experiments))} {study.words}",
            descriptions=list(dict.fromkeys(each.description for each in experiments)),
            facts=_facts(study),
            sections=shared(_sections(study, goals, range_bps, left_out)),
            plotly_js=Markup(get_plotlyjs()),
        )
    )


def _facts(study: Study) -> tuple[tuple[str, str], ...]:
    """What stands under the title: the new conditions, and those that were recorded."""
    recorded = dict(facts.facts(study.recorded))
    link, device = study.conditions.link, study.conditions.device
    found = [("link", link_words(link) if link else "as recorded"), ("recorded over", recorded["link"])]
    found += [("device", device_words(device) if device else "as recorded"), ("recorded on", recorded["device"])]
    found += [("payload", study.wire)] if study.wire else []
    return (*found, *((name, recorded[name]) for name in ("model", "data", "clock", "seeds")))


def _sections(
    study: Study, goals: Sequence[GoalByRate], range_bps: tuple[float, float], left_out: Sequence[str]
) -> Iterator[Section]:
    yield Section("summary", "Summary", tuple(_summary(study)))
    yield Section("rates", "By the rate of the link", tuple(_rates(study, goals, range_bps)))
    rounds = TablePart(retime_tables.round_seconds(study))
    yield Section("rounds", "Where a round's seconds go", (rounds,))
    others = caution.grouped(warnings.cautions(study.recorded, left_out))
    if others:
        yield Section("warnings", "Warnings and notes of the recorded runs", (Special("warnings", others),))


def _summary(study: Study) -> Iterator[Block]:
    for place, table in enumerate(retime_tables.all_times(study)):
        yield Text(f"Retimed {study.words}: {summary.headline(study.retimed, place)}", "headline")
        yield TablePart(table)
    yield Text(
        "Nothing was trained again: accuracy by round depends on neither link nor device, so the recorded rounds are "
        "kept and their seconds computed anew."
    )
    own = retime_cautions(study)
    if own:
        yield Special("warnings", caution.grouped(own))


def _rates(study: Study, goals: Sequence[GoalByRate], range_bps: tuple[float, float]) -> Iterator[Block]:
    low, high = (f"{bps / units.MBITS.divisor:g}" for bps in range_bps)
    over_seeds = " A line is the median over a method's seeds." if seeds_shown(study.recorded) else ""
    yield Text(
        f"What the same rounds take at every rate from {low} to {high} {units.MBITS.symbol}, the same both ways, with "
        f"the latency of {_latency_of(study)}. A ring marks the rate at which two methods take equally long."
        f"{over_seeds}"
    )
    for each in goals:
        drawn = {
            fraction: _chart(study, each, fraction, range_bps)
            for fraction, lines in each.lines.items()
            if any(line.reached for line in lines)
        }
        if each.main is None:
            yield Text(f"Nobody reached {units.percent(each.goal.fractions[0])} of {each.goal.words}.", "quiet")
            continue
        yield Legend("methods")
        yield drawn[each.main]
        others = tuple(one for fraction, one in drawn.items() if fraction != each.main)
        if others:
            yield Charts(others)
        crossed = retime_tables.crossover_table(each.goal, each.crossovers)
        if crossed.rows:
            yield TablePart(crossed)
        else:
            yield Text(f"No two methods change places between {low} and {high} {units.MBITS.symbol}.", "quiet")


def _chart(study: Study, each: GoalByRate, fraction: float, range_bps: tuple[float, float]) -> Chart:
    link = study.conditions.link
    own_bps = rate_bounds_bps(link) if link else None
    missed = [line.label for line in each.lines[fraction] if not line.reached]
    parts = [f"Dotted: the rate of {link.name}." if link and own_bps else ""]
    parts += [f"{units.listing(missed)} did not reach it." if missed else "", marks_words(groups_of(each.goal.runs))]
    height_px = {} if fraction == each.main else {"height": SMALL_PX}
    figure = time_by_rate(each.lines[fraction], each.crossovers[fraction], range_bps, own_bps, **height_px)
    name = f"time-by-rate-{fraction * 100:g}{each.goal.suffix}".replace(".", "-")
    title = f"Time to {units.percent(fraction)} of {each.goal.words} by rate"
    return chart(Drawn(name, title, " ".join(part for part in parts if part), figure))


def _latency_of(study: Study) -> str:
    link = study.conditions.link
    if link is not None:
        return f"{link.name} ({link.latency_s * 1000:g} ms)"
    return "the recorded link"
