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

from analysis import figures, palette, rendering, stats, summary, tables, units, warnings
from analysis.load import Run
from harness.errors import StoreError


@dataclass(frozen=True)
class Chart:
    """A figure and what is written above it."""

    key: str
    title: str
    figure: dict[str, Any]


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
    return environment.get_template("report.html").render(
        title=" · ".join(dict.fromkeys(run.experiment.name for run in runs)),
        descriptions=list(dict.fromkeys(run.experiment.description for run in runs)),
        facts=_facts(runs),
        headline=summary.headline(runs),
        tiles=summary.tiles(runs),
        cautions=warnings.cautions(runs, left_out),
        legend=_legend(runs),
        phases=palette.PHASES,
        fractions=list(
            zip((units.percent(f) for f in tables.fractions_of(runs)), palette.FRACTION_SYMBOLS, strict=False)
        ),
        targets=tables.time_to_target(runs),
        rounds=tables.round_phases(runs),
        transfers=tables.transfers(runs),
        failures=tables.failures(runs),
        run_list=[_run_row(run) for run in runs],
        environment=summary.settings(runs, [run.header.environment for run in runs]),
        profile=summary.settings(runs, [run.header.profile for run in runs]),
        charts={chart.key: chart for chart in _charts(runs)},
        phase_charts=_phase_charts(runs),
        plotly_js=Markup(get_plotlyjs()),
    )


def unbroken(text: str) -> str:
    """The text with a number and its unit kept on one line."""
    return re.sub(r"(\d) (%|s|min|h|[kMGT]?B|Mbit/s)(?![A-Za-z])", "\\1\N{NO-BREAK SPACE}\\2", text)


def _charts(runs: Sequence[Run]) -> list[Chart]:
    made = (
        ("milestones", "Time to each fraction", figures.milestones(runs)),
        ("by-time", _time_title(runs), figures.metric_by_time(runs)),
        ("by-round", "Against rounds", figures.metric_by_round(runs)),
        ("by-bytes", "Against bytes", figures.metric_by_bytes(runs)),
        ("bytes", "Payload by round", figures.bytes_by_round(runs)),
        ("phases", "Mean round", figures.phases_by_method(runs)),
    )
    return [Chart(key, title, figure.to_plotly_json()) for key, title, figure in made]


def _time_title(runs: Sequence[Run]) -> str:
    if figures.decided_s(runs) is None:
        return "Against time"
    return "Against time, until every target is decided (double-click: all)"


def _phase_charts(runs: Sequence[Run]) -> list[Chart]:
    return [
        Chart(f"phases-{place}", label, figures.phases_by_round(run).to_plotly_json())
        for place, (label, run) in enumerate(zip(stats.labels(runs), runs, strict=True))
    ]


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
