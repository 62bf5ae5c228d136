"""The command ``federa-bench export``: what a run folder holds, in the forms that other programs read."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.terminal import Parser, run_command
from harness.errors import UsageError

if TYPE_CHECKING:
    from analysis.load import Run

VIEWER = "ui.perfetto.dev"


def main(argv: list[str] | None = None) -> int:
    """Entry point. Returns the exit code: 0 done, 1 a record is not readable or a file not writable, 2 bad usage."""
    return run_command(_parser(), sys.argv[1:] if argv is None else argv, _export)


def _parser() -> Parser:
    parser = Parser(
        prog="federa-bench export",
        description="Write what a run recorded as files for other programs.",
        epilog=f"A trace opens in {VIEWER}, which keeps it in the browser, and in chrome://tracing.",
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="a run folder")
    parser.add_argument(
        "--trace",
        type=Path,
        metavar="FILE",
        help="the run over time as a Chrome/Perfetto trace (JSON): a track an agent",
    )
    return parser


def _export(options: argparse.Namespace) -> None:
    if options.trace is None:
        raise UsageError("nothing was asked for; give --trace FILE")
    from analysis.load import load_run

    for line in _write_trace(load_run(options.run), options.trace):
        sys.stdout.write(f"{line}\n")


def _write_trace(run: Run, out: Path) -> list[str]:
    """Write the trace; what to say of it.

    Raises:
        UsageError: the run recorded nothing that happened at a known moment.
        FederaBenchError: the file cannot be written.
    """
    import msgspec

    from analysis import units
    from analysis.trace.telemetry import read_power
    from analysis.trace.viewer import trace_of
    from harness.errors import not_written

    trace = trace_of(run, read_power(run.path))
    about = trace["otherData"]
    if not about["tasks"] and not run.events:
        raise UsageError(f"{run.path} has neither events.jsonl nor timelines, so nothing in it has a place in time")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(msgspec.json.encode(trace))
    except OSError as error:
        raise not_written(str(out), error, "give another FILE to --trace") from None
    told = [f"trace: {out} ({units.counted(about['tasks'], 'task')}); open it in {VIEWER}"]
    if about["tasks_placed_by_arrival"]:
        told.append(
            f"note: {units.counted(about['tasks_placed_by_arrival'], 'task')} stand where their updates came in, with "
            "their phases in the usual order: their agents told no stamps that fit the run's clock"
        )
    if about["tasks_left_out"]:
        told.append(f"note: {units.counted(about['tasks_left_out'], 'task')} left out: nothing says when they were")
    return told
