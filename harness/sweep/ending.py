"""How a sweep ends: its tables, the report of its test runs, and a sentence for each thing that is missing."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import redirect_stdout

from rich.console import Console

from harness import launch
from harness.complaints import complain
from harness.store import CLIENTS, ROUNDS
from harness.sweep import show
from harness.sweep.folder import Standing, SweepFolder
from harness.sweep.options import SweepOptions
from harness.sweep.results import to_csv, to_markdown
from harness.sweep.survey import Survey


def write_results(folder: SweepFolder, found: Survey) -> None:
    """Replace the sweep's CSV and Markdown by what was found so far."""
    folder.write("sweep.csv", to_csv(found.rows).encode())
    folder.write("sweep.md", to_markdown(folder.path.name, found.rows).encode())


def finish(options: SweepOptions, folder: SweepFolder, found: Survey, standings: Sequence[Standing]) -> int:
    """Show what was found and have the report of the test runs written; the exit code."""
    if options.as_json:
        launch.print_json(found.overview(folder))
    else:
        show.results(Console(), found.rows)
    tests = [one.folder.path for one in found.test if one.folder is not None]
    readable = [path for path in tests if (path / ROUNDS).exists() and (path / CLIENTS).exists()]
    code = 0
    if readable:
        with redirect_stdout(sys.stderr if options.as_json else sys.stdout):
            code = launch.report(readable)
    problems = _problems(options, found, standings)
    for sentence in problems:
        complain(sentence)
    return 1 if problems else code


def _problems(options: SweepOptions, found: Survey, standings: Sequence[Standing]) -> list[str]:
    """A sentence for each thing that keeps the table from being whole."""
    again = f"try again with: {options.command} --retry-failed"
    problems = [f"{method}: no validation run is done, so it was not tested; {again}" for method in found.hopeless]
    failed = sum(one.state == "failed" for one in found.test)
    if failed:
        problems.append(f"{failed} of {show.counted(len(found.test), 'test run')} failed; {again}")
    broken = [one for one in standings if one.outcome is None]
    return [*problems, broken_off(broken, options)] if broken else problems


def broken_off(broken: Sequence[Standing], options: SweepOptions) -> str:
    """What to tell a person of runs whose processes ended too soon."""
    first = broken[0]
    return (
        f"{show.counted(len(broken), 'run')} ended before being done (the first: {first.planned.title}); the logs tell "
        f"why; go on with the same command: {options.command}"
    )
