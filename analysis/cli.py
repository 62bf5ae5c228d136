"""The command ``federa-bench report``: prints the time-to-target table, writes the report, its tables and figures."""

from __future__ import annotations

import argparse
import gc
import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.terminal import Parser, run_command, show, show_json
from harness.errors import UsageError

if TYPE_CHECKING:
    from analysis.load import Run

_BESIDE = Path()  # --figures without a folder


def main(argv: list[str] | None = None) -> int:
    """Entry point. Returns the exit code: 0 done, 1 a record or the report is not readable or writable, 2 bad usage."""
    return run_command(_parser(), sys.argv[1:] if argv is None else argv, _report)


def _parser() -> Parser:
    parser = Parser(
        prog="federa-bench report",
        description="Print the time to each fraction of each target (of null runs: seconds per round), and write a "
        "report of one or more runs.",
        epilog="One run: RUN/report.html and RUN/tables. Several: reports/<methods>-<id> beside the first run.",
    )
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="a run folder, or a folder of run folders")
    parser.add_argument("--out", type=Path, metavar="PATH", help="a folder, or an .html file with tables/ beside it")
    parser.add_argument("--json", action="store_true", help="print the tables' raw values as JSON, for programs")
    parser.add_argument("--no-tables", dest="tables", action="store_false", help="write no files of tables")
    parser.add_argument(
        "--figures",
        nargs="?",
        type=Path,
        const=_BESIDE,
        metavar="DIR",
        help="write every figure as a file of its own, into figures/ beside the report or into DIR",
    )
    parser.add_argument(
        "--formats",
        metavar="LIST",
        help="of figures: html,svg,png or some of them; by default all that can be made (svg and png need Chromium)",
    )
    return parser


def _report(options: argparse.Namespace) -> None:
    if options.formats is not None and options.figures is None:
        raise UsageError("--formats is of figures; give --figures too")
    # Imported here: --help answers without plotly, and a wrong option is said at once.
    from analysis import energy_tables, stats, tables, warnings
    from analysis.aggregation.table import printed_tables
    from analysis.load import load_runs
    from analysis.report import write_report, write_tables
    from analysis.seeds import tables as seeds

    gc.disable()  # what is read stays until the end: a collector that looks through it finds nothing, for seconds
    try:
        loaded = load_runs(options.runs)
        gc.freeze()
    finally:
        gc.enable()
    runs = stats.in_order(loaded.runs)
    page = _page(runs, options.out)
    # Before the report, which links to the files that it finds.
    exported = [] if options.figures is None else _export(runs, page, options.figures, options.formats)
    if options.tables:
        write_tables(runs, page.parent / "tables")
    write_report(runs, page, loaded.left_out)
    # Null trainers reach no target: what such a run measures is the harness' own seconds.
    null = all(run.experiment.train.trainer == "null" for run in runs)
    shown = (tables.round_phases(runs),) if null else tables.times_to_targets(runs)
    if options.json:
        show_json([record for table in shown for record in table.records])
        sys.stderr.writelines(f"{line}\n" for line in exported)
    else:
        show(
            (*shown, *printed_tables(runs), *energy_tables.energies_to_targets(runs), *seeds.seed_tables(runs)),
            warnings.cautions(runs, loaded.left_out),
            [f"report: {page}", *exported],
        )


def _export(runs: Sequence[Run], page: Path, folder: Path, formats: str | None) -> list[str]:
    """Write the figures; what to say of them."""
    from analysis.export.chromium import find_browser
    from analysis.export.files import formats_of, plates, write_figures

    out_dir = page.parent / "figures" if folder == _BESIDE else folder
    asked = formats_of(formats) if formats is not None else ()
    written = write_figures(plates(runs), out_dir, find_browser(), asked)
    said = [f"figures: {out_dir} ({written.words})"]
    return [*said, f"note: {written.note}"] if written.note else said


def _page(runs: Sequence[Run], out: Path | None) -> Path:
    """Where the report goes."""
    if out is not None:
        return out if out.suffix == ".html" else out / "report.html"
    return runs[0].path / "report.html" if len(runs) == 1 else _shared_page(runs[0].path.parent, runs)


def _shared_page(folder: Path, runs: Sequence[Run]) -> Path:
    """Where the report of several runs goes: the same runs find the same place again."""
    methods = dict.fromkeys(run.header.method for run in runs)
    identity = hashlib.sha256("\n".join(sorted(run.header.run_id for run in runs)).encode()).hexdigest()[:8]
    return folder / "reports" / "-".join([*methods, identity]) / "report.html"
