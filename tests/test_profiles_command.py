"""The list of experiments: by what they want, whole at 80 columns, some of them by a word."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from harness import cli
from harness.library import Listed, list_experiments
from harness.profiles_command import found, show

QUICK = Listed("quick", "in a [minute]", "make bench PROFILE=quick", "zeromq", brought_along=True)
PAPER = Listed("paper-tables", "as in the Paper", f"make compare PROFILE=paper {'DATA=path/to/it ' * 8}end", "virtual")


def printed(experiments: list[Listed], with_commands: bool, width: int = 80) -> str:
    written = io.StringIO()
    show(Console(file=written, width=width), experiments, with_commands)
    return written.getvalue()


def test_experiments_stand_under_what_they_want_and_text_is_shown_as_it_is() -> None:
    text = printed([PAPER, QUICK], with_commands=False)
    assert "quick         in a [minute]" in text
    assert text.index("Anywhere") < text.index("quick") < text.index("With data") < text.index("paper-tables")
    assert "2 experiments" in text


def test_a_command_is_never_cut() -> None:
    assert f"    {PAPER.command}\n" in printed([PAPER, QUICK], with_commands=True)


def test_every_experiment_is_in_the_list_once_and_no_line_is_too_long() -> None:
    lines = printed(list_experiments(), with_commands=False).splitlines()
    first_words = [line.split()[0] for line in lines if line.strip()]
    assert [first_words.count(one.name) for one in list_experiments()] == [1] * len(list_experiments())
    assert max(len(line.rstrip()) for line in lines[:-1]) <= 80


def test_a_word_is_looked_for_in_names_and_descriptions() -> None:
    assert found([QUICK, PAPER], "paper") == [PAPER]
    assert found([QUICK, PAPER], "IN") == [QUICK, PAPER]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--find", "nothing-like-it"], "no experiment has 'nothing-like-it'"),
        (["quickstart", "--find", "x"], "--find is of the list of experiments"),
        (["quickstart", "--out", "x"], "--out is of: federa-bench profiles measure RUN"),
        (["quickstart", "extra"], "'extra' is one word too many"),
    ],
)
def test_what_has_no_place_is_said(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["profiles", *words]) == 2
    assert sentence in capsys.readouterr().err


def test_the_list_is_json_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["profiles", "--find", "quickstart", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert {"quickstart", "quickstart-aggregation", "quickstart-ner", "quickstart-qa"} == {
        one["name"] for one in listed
    }
    assert listed[0]["command"] == "make bench METHOD=federa"
