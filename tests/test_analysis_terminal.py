"""What commands of the analysis print, and how they end."""

from __future__ import annotations

import argparse
import json

import pytest

from analysis.caution import Caution
from analysis.rendering import Column, Table
from analysis.terminal import Parser, run_command, show, show_json
from harness.errors import StoreError, UsageError

TABLE = Table("t", "Title", "", (Column("a [bold]column", numeric=False),), (("x",),), ({"a": "x"},))


def command(options: argparse.Namespace) -> None:
    if options.wrong:
        raise StoreError("it is damaged; mend it")


def parser() -> Parser:
    made = Parser(prog="federa-bench thing")
    made.add_argument("--wrong", action="store_true")
    return made


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 0, ""),
        (["--wrong"], 1, "federa-bench: it is damaged; mend it\n"),
        (["--x"], 2, "federa-bench: unrecognized arguments: --x; see: federa-bench thing --help\n"),
    ],
)
def test_errors_are_one_sentence_and_an_exit_code(
    arguments: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(parser(), arguments, command) == code
    assert capsys.readouterr().err == said


def test_help_is_not_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(parser(), ["--help"], command) == 0
    assert "usage: federa-bench thing" in capsys.readouterr().out


def test_debug_shows_where_it_failed() -> None:
    with pytest.raises(StoreError):
        run_command(parser(), ["--wrong", "--debug"], command)
    with pytest.raises(UsageError):
        run_command(parser(), ["--x", "--debug"], command)


def test_nothing_that_is_shown_is_markup(capsys: pytest.CaptureFixture[str]) -> None:
    show([TABLE, TABLE], [Caution("kind", "Take [red]care.", "note")], ["page: [there]"])
    printed = capsys.readouterr().out
    assert printed.count("a [bold]column") == 2
    assert printed.endswith("note: Take [red]care.\npage: [there]\n")


def test_raw_values_are_json(capsys: pytest.CaptureFixture[str]) -> None:
    show_json({"times": ({"to_90_s": None},)})
    assert json.loads(capsys.readouterr().out) == {"times": [{"to_90_s": None}]}
