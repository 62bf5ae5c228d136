"""The report as one HTML page: holds everything it shows, and asks nothing of a network."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from analysis import facts, palette, stats, units, warnings
from analysis.load import Run
from analysis.parts import NO_LINKS, Links
from analysis.sections import sections_of
from analysis.sharing import shared


def render(runs: Sequence[Run], left_out: Sequence[str] = (), links: Links = NO_LINKS) -> str:
    """The report as HTML. Every text is escaped; the page's own policy forbids it to fetch anything.

    ``left_out`` are sentences of runs that could not be read, ``links`` the files that lie beside the page.
    """
    runs = stats.in_order(runs)
    methods = palette.legend(run.header.method for run in runs)
    return (
        environment_of(methods)
        .get_template("report.html")
        .render(
            command="report",
            title=" · ".join(dict.fromkeys(run.experiment.name for run in runs)),
            descriptions=list(dict.fromkeys(run.experiment.description for run in runs)),
            facts=facts.facts(runs),
            sections=shared(sections_of(runs, warnings.cautions(runs, left_out), links)),
            plotly_js=Markup(get_plotlyjs()),
        )
    )


def unbroken(text: str) -> str:
    """The text with a number and its unit kept on one line."""
    return re.sub(
        r"(\d) (%|s|min|h|[kMGT]?B|[kM]?J|Mbit/s|\N{MULTIPLICATION SIGN})(?![A-Za-z])", "\\1\N{NO-BREAK SPACE}\\2", text
    )


def environment_of(methods: Sequence[palette.Entry]) -> Environment:
    """Templates, and what all of them know: the legend, and whose a label is."""
    environment = Environment(
        loader=PackageLoader("analysis"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    styles = {entry.name: entry.style for entry in (*palette.legend(palette.STYLES), *methods)}

    def style_of(label: str) -> palette.Style | None:
        return palette.named(label, styles)

    known: dict[str, Any] = {
        "legend": methods,
        "phases": palette.PHASES,
        "share_scale": palette.SHARE_SCALE,
        "run_columns": facts.RUN_COLUMNS,
        "not_measured": units.NOT_MEASURED,
        "style_of": style_of,
        "method_style": palette.style,
    }
    environment.globals.update(known)
    environment.filters["unbroken"] = unbroken
    environment.policies["json.dumps_kwargs"] = {"sort_keys": True, "separators": (",", ":")}
    return environment
