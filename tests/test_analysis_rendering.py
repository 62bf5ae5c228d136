"""A table as CSV, as Markdown and in a terminal."""

from __future__ import annotations

import csv
import io

from rich.console import Console
from run_folders import DEMO, demo, run

from analysis import rendering, tables
from analysis.rendering import Column, Table

ODD = Table(
    name="odd",
    title="A | title",
    note="A note.",
    columns=(Column("name", numeric=False), Column("value")),
    rows=(("a|b <i>[red]x", "1"), ("two\nlines", "2")),
    records=({"name": 'a,"b"', "value": 0.1, "to_90_s": None, "energy_j": None},),
    never=frozenset({"to_90_s"}),
    best=frozenset({(1, 1)}),
)


def test_csv_has_raw_values_a_dash_for_never_and_nothing_for_not_measured() -> None:
    assert rendering.to_csv(ODD) == 'name,value,to_90_s,energy_j\n"a,""b""",0.1,-,\n'


def test_csv_of_the_targets_can_be_read_back() -> None:
    text = rendering.to_csv(tables.time_to_target([run(metrics=(0.5, 0.73))]))
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["method"], row["to_90_s"], row["to_95_s"], row["to_95_round"]) == ("federa", "8.0", "-", "-")


def test_a_table_without_records_is_no_csv() -> None:
    assert rendering.to_csv(Table("t", "", "", ODD.columns, (), ())) == ""


def test_markdown_cells_cannot_break_the_table() -> None:
    lines = rendering.to_markdown(ODD).splitlines()
    assert lines[2:6] == [
        "| name | value |",
        "| :--- | ---: |",
        "| a\\|b \\<i\\>\\[red\\]x | 1 |",
        "| two lines | **2** |",
    ]


def test_the_table_of_five_methods_fits_a_terminal_of_80_columns() -> None:
    console = Console(file=io.StringIO(), width=80)
    with console.capture() as capture:
        console.print(rendering.to_terminal(tables.time_to_target([demo(method) for method in DEMO])))
    lines = capture.get().splitlines()
    (line,) = [line for line in lines if "FeDeRA" in line]
    assert line.split() == [
        "FeDeRA",
        "34.9",
        "(9)",
        "41.9",
        "(11)",
        "53.1",
        "(14)",
        "0.0742",
        "0.8323",
        "147,456",
        "18,180",
    ]
    assert max(map(len, lines)) <= 80


def test_a_terminal_shows_square_brackets_as_they_stand() -> None:
    console = Console(file=io.StringIO(), width=80)
    with console.capture() as capture:
        console.print(rendering.to_terminal(ODD))
    assert "a|b <i>[red]x" in capture.get()
    assert "A note." in capture.get()
