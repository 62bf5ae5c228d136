"""A table as CSV, as Markdown and in a terminal."""

from __future__ import annotations

import csv
import io
import math
import re

from rich.console import Console
from run_folders import DEMO, demo, run

from analysis import link_tables, rendering, tables
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


def test_infinity_is_a_dash_too() -> None:
    table = Table("t", "", "", ODD.columns, (), ({"to_s": math.inf, "share": 0.5, "energy_j": None},))
    assert rendering.to_csv(table).splitlines()[1] == "-,0.5,"


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


def cells(line: str) -> list[str]:
    """Cells of a LaTeX line: at each ampersand that is not escaped."""
    assert line.endswith(" \\\\")
    return re.split(r"(?<!\\) & ", line.removesuffix(" \\\\"))


def body(latex: str) -> list[str]:
    """The lines between the first rule and the last that are rows."""
    inside = latex.split("\\toprule\n")[1].split("\\bottomrule")[0]
    return [line for line in inside.splitlines() if line != "\\midrule"]


def is_balanced(latex: str) -> bool:
    """Whether braces that are not escaped open and close in turn."""
    depth = 0
    for brace in re.findall(r"(?<!\\)[{}]", latex.replace("\\\\", "")):
        depth += 1 if brace == "{" else -1
        if depth < 0:
            return False
    return depth == 0


SPECIAL = "50 % & a_b #1 $2 {x} ~ ^ \\ <b> | [0.1, 0.2] \N{PLUS-MINUS SIGN}"
HARD = Table(
    name="hard one/2",
    title="All of it: 90 %",
    note=SPECIAL,
    columns=(Column("name", numeric=False), Column("90 % & more_s"), Column("c", extra=True)),
    rows=(("[first]", SPECIAL, "1"), (SPECIAL, "two\nlines", "-")),
    records=(),
    best=frozenset({(0, 1)}),
)


def test_every_line_of_latex_has_as_many_cells_as_columns() -> None:
    for table in (HARD, ODD, tables.time_to_target([demo(method) for method in DEMO]), link_tables.transfers([run()])):
        latex = rendering.to_latex(table)
        columns = re.findall(r"\\begin\{tabular\}\{([lr]+)\}", latex)
        assert columns == ["".join("r" if column.numeric else "l" for column in table.columns)]
        assert [len(cells(line)) for line in body(latex)] == [len(table.columns)] * (len(table.rows) + 1)


def test_latex_is_balanced_and_each_begin_has_its_end() -> None:
    for table in (HARD, ODD, tables.time_to_target([demo(method) for method in DEMO])):
        latex = rendering.to_latex(table)
        assert is_balanced(latex)
        assert re.findall(r"\\(begin|end)\{(\w+)\}", latex) == [
            ("begin", "table"),
            ("begin", "tabular"),
            ("end", "tabular"),
            ("end", "table"),
        ]


def test_a_wide_table_is_made_as_narrow_as_the_line() -> None:
    eight, nine = (
        Table("wide", "Wide", "", tuple(Column(str(n)) for n in range(count)), (("1",) * count,), ())
        for count in (8, 9)
    )
    assert "resizebox" not in rendering.to_latex(eight)
    latex = rendering.to_latex(nine)
    assert latex.startswith("% needs \\usepackage{booktabs,graphicx}\n")
    assert "\\resizebox{\\linewidth}{!}{%\n\\begin{tabular}" in latex
    assert "\\end{tabular}}\n\\end{table}" in latex
    assert is_balanced(latex)


def test_what_latex_reads_as_its_own_is_escaped_everywhere() -> None:
    latex = rendering.to_latex(HARD).removeprefix("% needs \\usepackage{booktabs}\n")
    assert not re.search(r"(?<!\\)[%#]", latex)
    assert not re.search(r"(?<!\\)_", latex)
    assert "50 \\% \\& a\\_b \\#1 \\$2 \\{x\\} \\textasciitilde{} \\textasciicircum{} \\textbackslash{}" in latex
    assert "\\textless{}b\\textgreater{} \\textbar{} {[}0.1, 0.2{]} $\\pm$" in latex


def test_a_row_that_starts_with_a_bracket_is_no_option_of_the_line_before() -> None:
    assert not any(line.startswith("[") for line in rendering.to_latex(HARD).splitlines())


def test_the_best_cells_are_bold_and_caption_and_label_name_the_table() -> None:
    latex = rendering.to_latex(ODD)
    assert body(latex)[2] == "two lines & \\textbf{2} \\\\"
    assert "\\caption{A \\textbar{} title. A note.}" in latex
    assert "\\label{tab:odd}" in latex
    assert "\\label{tab:hard-one-2}" in rendering.to_latex(HARD)
