"""The report: one HTML file that holds everything it shows, and asks nothing of a network."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from analysis import (
    figures,
    palette,
    partition_figures,
    partitions,
    rendering,
    stats,
    summary,
    tables,
    units,
    warnings,
)
from analysis.goals import drawn_places, goal_of, goals_of
from analysis.load import Run
from harness.errors import StoreError


@dataclass(frozen=True)
class Chart:
    """A figure and what is written above it. A figure without a height is a square, at most ``side_px`` wide."""

    title: str
    figure: dict[str, Any]
    side_px: int = 0

    @property
    def style(self) -> str:
        """The size of its place in the page, as CSS."""
        height_px = self.figure["layout"].get("height")
        return f"height: {height_px}px" if height_px else f"aspect-ratio: 1; max-width: {self.side_px}px"


@dataclass(frozen=True)
class GoalPart:
    """What the summary says of one target."""

    headline: str
    tiles: tuple[summary.Tile, ...]
    table: rendering.Table
    fractions: tuple[tuple[str, str], ...]
    milestones: Chart


@dataclass(frozen=True)
class PartitionPart:
    """What the report says of one partition; ``whose`` names its runs where not all have it."""

    whose: str
    facts: tuple[tuple[str, str], ...]
    charts: tuple[Chart, Chart]


def write_report(runs: Sequence[Run], out: Path, left_out: Sequence[str] = ()) -> Path:
    """Write the report of these runs to the file ``out`` and return it; ``left_out`` are sentences of missing runs.

    Raises:
        StoreError: the file cannot be written.
    """
    page = render(runs, left_out)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(page, encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{out} cannot be written ({error.strerror}); free space or give another --out") from None
    return out


def write_tables(runs: Sequence[Run], out_dir: Path) -> tuple[Path, ...]:
    """Write every table as CSV and Markdown into ``out_dir``; a table without rows has no file.

    Raises:
        StoreError: a file cannot be written.
    """
    written: list[Path] = []
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
        for stale in out_dir.glob(f"{tables.TIME_TO_TARGET}-*.*"):
            stale.unlink()  # of a target that these runs do not have
        for table in tables.all_tables(stats.in_order(runs)):
            for suffix, text in ((".csv", rendering.to_csv(table)), (".md", rendering.to_markdown(table))):
                path = out_dir / f"{table.name}{suffix}"
                path.unlink(missing_ok=True)  # an earlier report's table must not stay beside this one's
                if table.rows:
                    path.write_text(text, encoding="utf-8")
                    written.append(path)
    except OSError as error:
        raise StoreError(
            f"{out_dir}: tables cannot be written ({error.strerror}); free space or give another --out"
        ) from None
    return tuple(written)


def render(runs: Sequence[Run], left_out: Sequence[str] = ()) -> str:
    """The report as HTML. Every text is escaped; the page's own policy forbids it to fetch anything."""
    runs = stats.in_order(runs)
    environment = Environment(
        loader=PackageLoader("analysis"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["unbroken"] = unbroken
    environment.policies["json.dumps_kwargs"] = {"sort_keys": True, "separators": (",", ":")}
    return environment.get_template("report.html").render(
        title=" · ".join(dict.fromkeys(run.experiment.name for run in runs)),
        descriptions=list(dict.fromkeys(run.experiment.description for run in runs)),
        facts=_facts(runs),
        goals=[_goal_part(runs, place) for place in range(len(goals_of(runs)))],
        cautions=warnings.cautions(runs, left_out),
        legend=_legend(runs),
        phases=palette.PHASES,
        rounds=tables.round_phases(runs),
        transfers=tables.transfers(runs),
        failures=tables.failures(runs),
        run_list=[_run_row(run) for run in runs],
        environment=summary.settings(runs, [run.header.environment for run in runs]),
        profile=summary.settings(runs, [run.header.profile for run in runs]),
        curves=_curves(runs),
        byte_charts=_byte_charts(runs),
        mean_round=_chart("Mean round", figures.phases_by_method(runs)),
        phase_charts=_phase_charts(runs),
        partitions=[_partition_part(shared) for shared in partitions.shared_partitions(runs)],
        share_scale=palette.SHARE_SCALE,
        plotly_js=Markup(get_plotlyjs()),
    )


def unbroken(text: str) -> str:
    """The text with a number and its unit kept on one line."""
    return re.sub(r"(\d) (%|s|min|h|[kMGT]?B|Mbit/s)(?![A-Za-z])", "\\1\N{NO-BREAK SPACE}\\2", text)


def _chart(title: str, figure: Any, side_px: int = 0) -> Chart:
    return Chart(title, figure.to_plotly_json(), side_px)


def _goal_part(runs: Sequence[Run], place: int) -> GoalPart:
    fractions = (units.percent(fraction) for fraction in goal_of(runs, place).fractions)
    return GoalPart(
        headline=summary.headline(runs, place),
        tiles=summary.tiles(runs, place),
        table=tables.time_to_target(runs, place),
        fractions=tuple(zip(fractions, palette.FRACTION_SYMBOLS, strict=False)),
        milestones=_chart("Time to each fraction", figures.milestones(runs, place)),
    )


def _curves(runs: Sequence[Run]) -> list[Chart]:
    """Each metric of a target against time and against rounds."""
    charts = []
    for place in drawn_places(runs):
        ends = "" if figures.decided_s(runs, place) is None else ", until every target is decided (double-click: all)"
        charts.append(_chart(_of(runs, place, f"Against time{ends}"), figures.metric_by_time(runs, place)))
        charts.append(_chart(_of(runs, place, "Against rounds"), figures.metric_by_round(runs, place)))
    return charts


def _byte_charts(runs: Sequence[Run]) -> list[Chart]:
    against = [
        _chart(_of(runs, place, "Against bytes"), figures.metric_by_bytes(runs, place)) for place in drawn_places(runs)
    ]
    return [*against, _chart("Payload by round", figures.bytes_by_round(runs))]


def _of(runs: Sequence[Run], place: int, title: str) -> str:
    """The title, with its metric where figures of several stand side by side."""
    if len(drawn_places(runs)) == 1:
        return title
    metric = goal_of(runs, place).metric_words
    return f"{metric[:1].upper()}{metric[1:]} {title.lower()}"


def _phase_charts(runs: Sequence[Run]) -> list[Chart]:
    return [_chart(label, figures.phases_by_round(run)) for label, run in zip(stats.labels(runs), runs, strict=True)]


def _partition_part(shared: partitions.SharedPartition) -> PartitionPart:
    mean = partitions.divergence_text(shared.mean_of_pairs)
    few = len(shared.samples) <= partition_figures.MOST_CELLS_WITH_NUMBERS
    share = f"Share of each class in a client's samples{'; numbers count samples' if few else ''}"
    return PartitionPart(
        whose=units.listing(shared.labels) if shared.labels else "",
        facts=shared.facts,
        charts=(
            _chart(
                f"Divergence between clients; mean of pairs {mean}",
                partition_figures.divergence_map(shared),
                partition_figures.side_px(shared),
            ),
            _chart(share, partition_figures.class_map(shared)),
        ),
    )


def _facts(runs: Sequence[Run]) -> list[tuple[str, str]]:
    """What stands under the title: the same for all runs, or all of what differs."""
    columns: dict[str, list[str]] = {
        "model": [run.experiment.model.name for run in runs],
        "data": [run.experiment.dataset.name for run in runs],
        "link": [run.experiment.link.name for run in runs],
        "device": [run.experiment.device.name for run in runs],
        "clients": [
            f"{run.experiment.rounds.clients_per_round} of {run.experiment.partition.clients} a round" for run in runs
        ],
        "clock": [str(run.header.clock or "not started") for run in runs],
    }
    return [(name, ", ".join(dict.fromkeys(values))) for name, values in columns.items()]


def _legend(runs: Sequence[Run]) -> list[tuple[str, str, palette.Style]]:
    methods = dict.fromkeys(run.header.method for run in runs)
    return [(method, stats.method_name(method), palette.style(method)) for method in methods]


def _run_row(run: Run) -> tuple[str, ...]:
    header = run.header
    return (
        header.run_id,
        stats.method_name(header.method),
        str(header.seed),
        header.state,
        units.count(len(run.rounds)),
        units.count(len(header.agents)),
        header.started_at,
        header.profile_sha256[:12],
    )
