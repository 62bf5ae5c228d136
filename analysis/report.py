"""Writes the report of runs: one HTML file that links to what lies beside it, and the files of its tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from analysis import rendering, stats, tables
from analysis.aggregation.sections import extra_tables
from analysis.load import Run
from analysis.page import render
from analysis.paper.tables import paper_tables
from analysis.raw_files import links_from
from analysis.rendering import Table
from analysis.seeds.tables import seed_tables
from harness.errors import not_written

FORMS = {".csv": rendering.to_csv, ".md": rendering.to_markdown, ".tex": rendering.to_latex}
"""The forms of a table, by the suffix of its file."""
SOMETIMES = (
    f"{tables.TIME_TO_TARGET}-*.*",
    "energy-to-target*.*",
    "seeds-*.*",
    "paper-table-*.*",
    "aggregation*.*",
    "clients-own-metric*.*",
    "privacy*.*",
)
"""Files of tables that not every report has."""


def write_report(runs: Sequence[Run], out: Path, left_out: Sequence[str] = ()) -> Path:
    """Write the report of these runs to the file ``out`` and return it; ``left_out`` are sentences of missing runs.

    It links to the files of tables and figures that are there when it is written.

    Raises:
        FederaBenchError: the file cannot be written.
    """
    page = render(runs, left_out, links_from(out, stats.in_order(runs)))
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(page, encoding="utf-8")
    except OSError as error:
        raise not_written(str(out), error, _instead(runs)) from None
    return out


def write_tables(runs: Sequence[Run], out_dir: Path) -> tuple[Path, ...]:
    """Write every table as CSV, Markdown and LaTeX into ``out_dir``; a table without rows has no file.

    Raises:
        FederaBenchError: a file cannot be written.
    """
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
        for stale in (file for name in SOMETIMES for file in out_dir.glob(name)):
            stale.unlink()  # of a target, a paper's table or seeds that these runs do not have
        return tuple(path for table in _all_tables(stats.in_order(runs)) for path in _write_table(table, out_dir))
    except OSError as error:
        raise not_written(f"{out_dir}: tables", error, _instead(runs)) from None


def _instead(runs: Sequence[Run]) -> str:
    """What to do where nothing can be written; the runs themselves are as they were."""
    return f"give another --out, then: federa-bench report {' '.join(str(run.path) for run in runs)}"


def _all_tables(runs: Sequence[Run]) -> tuple[Table, ...]:
    return *tables.all_tables(runs), *seed_tables(runs), *extra_tables(runs), *paper_tables(runs)


def _write_table(table: Table, out_dir: Path) -> list[Path]:
    written = []
    for suffix, text_of in FORMS.items():
        path = out_dir / f"{table.name}{suffix}"
        path.unlink(missing_ok=True)  # an earlier report's table must not stay beside this one's
        if table.rows:
            path.write_text(text_of(table), encoding="utf-8")
            written.append(path)
    return written
