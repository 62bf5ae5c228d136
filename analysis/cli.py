"""The command ``federa-bench report``: prints the time-to-target table and writes the report and its tables."""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import msgspec

from harness.errors import FederaBenchError, UsageError

if TYPE_CHECKING:
    from analysis.load import Run
    from analysis.rendering import Record, Table
    from analysis.warnings import Caution

TERMINAL_WIDTH = 120  # of output that goes to a file or a pipe


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are those of the project."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see: federa-bench report --help")


def main(argv: list[str] | None = None) -> int:
    """Entry point. Returns the exit code: 0 done, 1 a record or the report is not readable or writable, 2 bad usage."""
    arguments = sys.argv[1:] if argv is None else argv
    try:
        options = _parser().parse_args(arguments)
        _report(options.runs, options.out, options.json, options.tables)
    except SystemExit as stopped:  # --help
        return int(stopped.code or 0)
    except FederaBenchError as error:
        if "--debug" in arguments:
            raise
        sys.stderr.write(f"federa-bench: {error}\n")
        return error.exit_code
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="federa-bench report",
        description="Print the time to each fraction of each target (of null runs: seconds per round), and write a "
        "report of one or more runs.",
        epilog="One run: RUN/report.html and RUN/tables. Several: reports/<methods>-<id> beside the first run.",
    )
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="a run folder, or a folder of run folders")
    parser.add_argument("--out", type=Path, metavar="PATH", help="a folder, or an .html file with tables/ beside it")
    parser.add_argument("--json", action="store_true", help="print the tables' raw values as JSON, for programs")
    parser.add_argument("--no-tables", dest="tables", action="store_false", help="write no CSV and Markdown files")
    parser.add_argument("--debug", action="store_true", help="show a traceback where something fails")
    return parser


def _report(paths: Sequence[Path], out: Path | None, as_json: bool, with_tables: bool) -> None:
    # Imported here: --help answers without plotly, and a wrong option is said at once.
    from analysis import stats, tables, warnings
    from analysis.load import load_runs
    from analysis.report import write_report, write_tables

    loaded = load_runs(paths)
    runs = stats.in_order(loaded.runs)
    if out is None:
        page = runs[0].path / "report.html" if len(runs) == 1 else _shared_page(runs[0].path.parent, runs)
    else:
        page = out if out.suffix == ".html" else out / "report.html"
    write_report(runs, page, loaded.left_out)
    if with_tables:
        write_tables(runs, page.parent / "tables")
    # Null trainers reach no target: what such a run measures is the harness' own seconds.
    null = all(run.experiment.train.trainer == "null" for run in runs)
    shown = (tables.round_phases(runs),) if null else tables.times_to_targets(runs)
    cautions = warnings.cautions(runs, loaded.left_out)
    if as_json:
        _print_json([record for table in shown for record in table.records])
    else:
        _print(shown, cautions, page)


def _shared_page(folder: Path, runs: Sequence[Run]) -> Path:
    """Where the report of several runs goes: the same runs find the same place again."""
    methods = dict.fromkeys(run.header.method for run in runs)
    identity = hashlib.sha256("\n".join(sorted(run.header.run_id for run in runs)).encode()).hexdigest()[:8]
    return folder / "reports" / "-".join([*methods, identity]) / "report.html"


def _print(shown: Sequence[Table], cautions: Sequence[Caution], page: Path) -> None:
    """Tables, warnings and path, as they stand: nothing in them is read as markup."""
    from rich.console import Console
    from rich.text import Text

    from analysis.rendering import to_terminal

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = TERMINAL_WIDTH
    for place, table in enumerate(shown):
        if place > 0:
            console.print()
        console.print(to_terminal(table))
    for caution in cautions:
        console.print(Text(f"{caution.level}: {caution.text}", style="yellow" if caution.level == "warning" else "dim"))
    console.print(Text(f"report: {page}"), soft_wrap=True)


def _print_json(records: Sequence[Record]) -> None:
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(records), indent=2).decode() + "\n")
