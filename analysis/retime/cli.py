"""The command ``federa-bench retime``: what recorded runs take over another link or on another device."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.retime.study import WIRES, study
from analysis.terminal import Parser, run_command, show, show_json
from harness.errors import UsageError, not_written

if TYPE_CHECKING:
    from analysis.load import Loaded, Run
    from analysis.rendering import Table
    from analysis.retime.study import Study

RATES = "1:1000"


def main(argv: list[str] | None = None) -> int:
    """Entry point. Returns the exit code: 0 done, 1 a record or the page is not readable or writable, 2 bad usage."""
    return run_command(_parser(), sys.argv[1:] if argv is None else argv, _retime)


def _parser() -> Parser:
    parser = Parser(
        prog="federa-bench retime",
        description="Print the time to each fraction of each target as recorded and over another link, on another "
        "device or with other payloads, without training again; and write a page with a figure over the link's rate.",
        epilog="One run: RUN/retimed/<conditions>. Several: retimed/<methods>-<conditions> beside the first run.",
    )
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="a run folder, or a folder of run folders")
    parser.add_argument(
        "--link", metavar="LINK", help="a link of profiles/links, or a YAML file; as recorded if absent"
    )
    parser.add_argument("--device", metavar="DEVICE", help="a device of profiles/devices, or a YAML file; likewise")
    parser.add_argument("--wire", choices=WIRES, help="the numbers that travel; assumes equal accuracy")
    parser.add_argument(
        "--rates", default=RATES, metavar="LOW:HIGH", help=f"of the figure, in Mbit/s; {RATES} if absent"
    )
    parser.add_argument("--out", type=Path, metavar="PATH", help="a folder, or an .html file with tables/ beside it")
    parser.add_argument("--json", action="store_true", help="print the tables' raw values as JSON, for programs")
    return parser


def _retime(options: argparse.Namespace) -> None:
    range_bps = _range_bps(options.rates)
    # Imported here: --help answers without plotly, and a wrong option is said at once.
    from analysis import stats
    from analysis.caution import Caution
    from analysis.load import load_runs
    from analysis.retime.cautions import retime_cautions
    from analysis.retime.page import all_tables, render
    from analysis.retime.rates import by_rate
    from analysis.retime.tables import ROUNDS
    from harness.library import load_part
    from harness.profiles import DeviceProfile, LinkProfile

    link = None if options.link is None else load_part(LinkProfile, options.link)
    device = None if options.device is None else load_part(DeviceProfile, options.device)
    loaded = _usable(load_runs(options.runs))
    made = study(stats.in_order(loaded.runs), link, device, options.wire)
    goals = by_rate(made, range_bps)
    tables, page = all_tables(made, goals), _page(options.out, made)
    _write(render(made, goals, range_bps, loaded.left_out), tables, page)
    if options.json:
        show_json({table.name: table.records for table in tables})
        return
    left_out = [Caution("left out", text) for text in loaded.left_out]
    shown = [table for table in tables if table.rows and table.name != ROUNDS]
    show(shown, [*left_out, *retime_cautions(made)], [f"page: {page}"])


def _range_bps(text: str) -> tuple[float, float]:
    """The rates of the figure.

    Raises:
        UsageError: they are no two rates, the lower one first.
    """
    try:
        low, high = (float(part) for part in text.split(":"))
    except ValueError:
        low = high = math.nan
    if not 0 < low < high < math.inf:
        raise UsageError(f"--rates {text}: give the lowest and the highest rate in Mbit/s, as in --rates {RATES}")
    return low * 1e6, high * 1e6


def _usable(loaded: Loaded) -> Loaded:
    """The runs that have rounds, one of which at least was evaluated; what was left out is said.

    Raises:
        UsageError: there is none.
    """
    from analysis.load import Loaded
    from analysis.targets import best_metric

    runs = tuple(run for run in loaded.runs if run.rounds)
    if not runs:
        raise UsageError(f"{loaded.runs[0].path} has no round yet, so nothing can be retimed; give a run that has some")
    evaluated = any(best_metric(run.rounds, aim.metric) is not None for run in runs for aim in run.experiment.targets)
    if not evaluated:
        raise UsageError(
            f"{runs[0].path} was never evaluated, so it has no time to a target; give runs that trained and evaluated"
        )
    empty = tuple(f"A run was left out: {run.path} has no round yet." for run in loaded.runs if not run.rounds)
    return Loaded(runs, (*loaded.left_out, *empty))


def _page(out: Path | None, made: Study) -> Path:
    """Where the page goes: the same conditions of the same runs find the same place again."""
    if out is not None:
        return out if out.suffix == ".html" else out / "retime.html"
    conditions = made.conditions
    parts = [part.name for part in (conditions.link, conditions.device) if part] + [made.wire or ""]
    slug = "-".join(part for part in parts if part) or "as-recorded"
    first, runs = made.recorded[0], made.recorded
    if len(runs) == 1:
        return first.path / "retimed" / slug / "retime.html"
    return first.path.parent / "retimed" / f"{'-'.join(_methods(runs))}-{slug}" / "retime.html"


def _methods(runs: Sequence[Run]) -> list[str]:
    return list(dict.fromkeys(run.header.method for run in runs))


def _write(page: str, tables: Sequence[Table], out: Path) -> None:
    """The page, and its tables as files in tables/ beside it.

    Raises:
        FederaBenchError: a file cannot be written.
    """
    from analysis.report import FORMS

    folder = out.parent / "tables"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        out.write_text(page, encoding="utf-8")
        for table in tables:
            for suffix, text_of in FORMS.items():
                path = folder / f"{table.name}{suffix}"
                path.unlink(missing_ok=True)  # an earlier page's table must not stay beside this one's
                if table.rows:
                    path.write_text(text_of(table), encoding="utf-8")
    except OSError as error:
        raise not_written(str(out), error, "give another --out") from None
