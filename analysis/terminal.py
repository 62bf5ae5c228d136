"""What the commands of the analysis have in common: options, exit codes, and how tables and warnings are printed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec

from harness.errors import FederaBenchError, UsageError

if TYPE_CHECKING:
    from analysis.caution import Caution
    from analysis.rendering import Table

TERMINAL_WIDTH = 120  # of output that goes to a file or a pipe


class Parser(argparse.ArgumentParser):
    """A parser whose errors are those of the project; every command knows --debug."""

    def error(self, message: str) -> NoReturn:
        """Raise what the command line prints in one sentence."""
        raise UsageError(f"{message}; see: {self.prog} --help")


def run_command(parser: Parser, arguments: Sequence[str], command: Callable[[argparse.Namespace], None]) -> int:
    """Run a command with its options. Returns its exit code: 0 done, else that of the error, said in one sentence."""
    parser.add_argument("--debug", action="store_true", help="show a traceback where something fails")
    try:
        command(parser.parse_args(arguments))
    except SystemExit as stopped:  # --help
        return int(stopped.code or 0)
    except FederaBenchError as error:
        if "--debug" in arguments:
            raise
        sys.stderr.write(f"federa-bench: {error}\n")
        return error.exit_code
    return 0


def show(tables: Sequence[Table], cautions: Sequence[Caution], written: Sequence[str]) -> None:
    """Tables, warnings and lines about what was written, as they stand: nothing in them is read as markup."""
    from rich.console import Console
    from rich.text import Text

    from analysis.rendering import printable, to_terminal

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = TERMINAL_WIDTH
    for place, table in enumerate(tables):
        if place > 0:
            console.print()
        console.print(to_terminal(table))
    for caution in cautions:
        console.print(
            Text(f"{caution.level}: {printable(caution.text)}", style="yellow" if caution.level == "warning" else "dim")
        )
    for line in written:
        console.print(Text(line), soft_wrap=True)


def show_json(value: Any) -> None:
    """Raw values for programs."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")
