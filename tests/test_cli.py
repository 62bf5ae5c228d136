"""The command itself: what it prints, and how it ends; bad usage and whole runs have tests of their own."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from benchtools import TINY
from run_folders import header

from harness import cli, commands
from harness.errors import NoAgentsError
from harness.store import RunFolder


@pytest.fixture
def breaking() -> Callable[[BaseException], list[str]]:
    """Adds a command that fails in a given way, for this test alone; returns how to call it."""

    def add(error: BaseException) -> list[str]:
        @commands.app.command(name="break")
        def broken(debug: bool = typer.Option(False, "--debug")) -> None:
            raise error

        return ["break"]

    before = list(commands.app.registered_commands)
    yield add
    commands.app.registered_commands[:] = before


def test_without_arguments_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 0
    told = capsys.readouterr()
    assert all(command in told.out for command in ("run", "compare", "resume", "status", "profiles", "agent", "report"))
    assert told.err == ""


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (NoAgentsError("nobody came; start some"), 3, "nobody came; start some"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (PermissionError(13, "Permission denied", "/data/x"), 1, "/data/x: Permission denied; mend that"),
        (ValueError("a bug"), 1, "unexpected ValueError: a bug; run again with --debug for the traceback"),
    ],
)
def test_each_error_is_one_sentence_and_an_exit_code(
    breaking: Callable[[BaseException], list[str]],
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
    sentence: str,
) -> None:
    assert cli.main(breaking(error)) == code
    told = capsys.readouterr()
    assert told.err.startswith(f"federa-bench: {sentence}")
    assert len(told.err.splitlines()) == 1
    assert told.out == ""


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["sweep", "--jobs", "0"], "'--jobs'"),
        (["sweep", "--nonsense"], "--nonsense"),
        (["run", "--rounds", "many"], "'--rounds'"),
    ],
)
def test_a_wrong_option_names_the_help_of_its_command(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(words) == 2
    told = capsys.readouterr().err
    assert sentence in told
    assert told.endswith(f"; see: federa-bench {words[0]} --help\n")


def test_debug_lets_the_error_through(breaking: Callable[[BaseException], list[str]]) -> None:
    with pytest.raises(ValueError, match="a bug"):
        cli.main([*breaking(ValueError("a bug")), "--debug"])


def test_status_speaks_to_people_and_to_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = RunFolder.create(tmp_path, "r")
    folder.write_header(header("federa", state="interrupted"))
    assert cli.main(["status", "--out", str(tmp_path)]) == 0
    assert "go on with: federa-bench resume" in capsys.readouterr().out
    assert cli.main(["status", str(folder.path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["state"] == "interrupted"


def test_a_run_that_is_done_is_not_resumed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = RunFolder.create(tmp_path, "r")
    folder.write_header(header("federa", state="done"))
    assert cli.main(["resume", str(folder.path)]) == 2
    assert f"is done; see it with: federa-bench report {folder.path}" in capsys.readouterr().err


def test_profiles_are_listed_or_one_is_shown_with_overrides(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["profiles"]) == 0
    assert "quickstart" in capsys.readouterr().out
    assert cli.main(["profiles", TINY, "--set", "rounds.count=9"]) == 0
    assert json.loads(capsys.readouterr().out)["rounds"]["count"] == 9


@pytest.mark.parametrize("command", ["agent", "report"])
def test_help_of_another_package_s_command_is_its_own(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with contextlib.suppress(SystemExit):
        cli.main([command, "--help"])
    assert f"usage: federa-bench {command}" in capsys.readouterr().out


def test_a_command_with_a_parser_of_its_own_starts_without_that_of_the_others() -> None:
    """What only the controller needs, and what a run may not want, is not paid for by every agent's start."""
    program = "import sys; from harness.cli import main\ntry: main(['agent', '--help'])\nfinally: print(*sys.modules)"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    loaded = set(told.splitlines()[-1].split())
    heavy = {"typer", "rich", "pydantic", "yaml", "asyncio", "psutil", "numpy", "torch"}
    unasked = {"harness.sensors", "harness.shaping", "harness.doctor", "harness.launch", "agents.equipped"}
    assert "agents.agent" in loaded
    assert not (heavy | unasked) & loaded


def test_help_starts_without_what_it_does_not_need() -> None:
    heavy = ("zmq", "numpy", "torch", "ray", "plotly", "psutil")
    script = f"import sys, harness.commands; print([name for name in {heavy!r} if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout == "[]\n"
