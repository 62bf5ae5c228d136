"""A table, and its forms: for a terminal, as Markdown, as LaTeX, as CSV."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.units import NOT_REACHED

if TYPE_CHECKING:  # rich is only needed where a terminal is
    from rich.table import Table as TerminalTable


Value = int | float | str | None
Record = dict[str, Value]


FORMULA = ("=", "+", "-", "@")
"""How cells begin that spreadsheets calculate."""
MOST_LATEX_COLUMNS = 8  # beyond, a table is wider than a page

TEX = {
    **{mark: f"\\{mark}" for mark in "&%$#_{}"},
    "\\": "\\textbackslash{}",
    "~": "\\textasciitilde{}",
    "^": "\\textasciicircum{}",
    "<": "\\textless{}",
    ">": "\\textgreater{}",
    "|": "\\textbar{}",
    "[": "{[}",
    "]": "{]}",
    "\N{PLUS-MINUS SIGN}": "$\\pm$",
    "\N{MULTIPLICATION SIGN}": "$\\times$",
    "\N{MIDDLE DOT}": "$\\cdot$",
    "\N{NO-BREAK SPACE}": "~",
}
"""Characters that LaTeX reads as its own, or that old fonts lack, and how they are written."""


@dataclass(frozen=True)
class Column:
    """A column's heading; numbers are aligned to the right. A terminal is too narrow for ``extra`` columns."""

    label: str
    numeric: bool = True
    extra: bool = False


@dataclass(frozen=True)
class Table:
    """One table. ``rows`` are formatted; ``records`` are raw: None is "not measured", infinity "not reached", and so is
    None in a key of ``never``.

    ``best`` holds (row, column) of cells worth pointing at: the shortest time of each fraction.
    """

    name: str
    title: str
    note: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    records: tuple[Record, ...]
    never: frozenset[str] = frozenset()
    best: frozenset[tuple[int, int]] = frozenset()


def to_terminal(table: Table) -> TerminalTable:
    """The table for rich; its text is shown as it stands, square brackets included."""
    from rich import box
    from rich.table import Table as TerminalTable
    from rich.text import Text

    shown = TerminalTable(
        title=Text(table.title, style="bold"),
        caption=Text(table.note),
        title_justify="left",
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1),
        collapse_padding=True,
        pad_edge=False,
    )
    kept = [at for at, column in enumerate(table.columns) if not column.extra]
    for at in kept:
        column = table.columns[at]
        shown.add_column(
            Text(column.label),
            justify="right" if column.numeric else "left",
            vertical="bottom",
            overflow="fold",  # a digit that does not fit goes to a second line, never away
        )
    for place, row in enumerate(table.rows):
        shown.add_row(*(Text(printable(row[at]), style="bold" if (place, at) in table.best else "") for at in kept))
    return shown


def to_markdown(table: Table) -> str:
    """The table as GitHub's Markdown, with its title and note; the best cells are bold."""
    lines = [f"### {_md(table.title)}", "", _md_row([_md(column.label) for column in table.columns])]
    lines.append(_md_row(["---:" if column.numeric else ":---" for column in table.columns]))
    for place, row in enumerate(table.rows):
        lines.append(
            _md_row([f"**{_md(cell)}**" if (place, at) in table.best else _md(cell) for at, cell in enumerate(row)])
        )
    return "\n".join([*lines, "", _md(table.note), ""])


def to_latex(table: Table) -> str:
    """The table as a LaTeX float for the package booktabs, with caption and label; the best cells are bold.

    A wide one is made as narrow as the line.
    """
    wide = len(table.columns) > MOST_LATEX_COLUMNS
    lines = [
        f"% needs \\usepackage{{booktabs{',graphicx' if wide else ''}}}",
        "\\begin{table}",
        "\\centering",
        f"\\caption{{{_tex(_caption(table))}}}",
        f"\\label{{tab:{re.sub(r'[^A-Za-z0-9-]+', '-', table.name)}}}",
        *(["\\resizebox{\\linewidth}{!}{%"] if wide else []),
        f"\\begin{{tabular}}{{{''.join('r' if column.numeric else 'l' for column in table.columns)}}}",
        "\\toprule",
        _tex_row([_tex(column.label) for column in table.columns]),
        "\\midrule",
    ]
    for place, row in enumerate(table.rows):
        cells = [
            f"\\textbf{{{_tex(cell)}}}" if (place, at) in table.best else _tex(cell) for at, cell in enumerate(row)
        ]
        lines.append(_tex_row(cells))
    return "\n".join([*lines, "\\bottomrule", f"\\end{{tabular}}{'}' if wide else ''}", "\\end{table}", ""])


def to_csv(table: Table) -> str:
    """Raw values, one line a record: "-" where a target was not reached, empty where nothing was measured."""
    if not table.records:
        return ""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(table.records[0]), lineterminator="\n")
    writer.writeheader()
    for record in table.records:
        writer.writerow(
            {key: NOT_REACHED if _never(value, key in table.never) else _cell(value) for key, value in record.items()}
        )
    return text.getvalue()


def printable(text: str) -> str:
    """The text without what would move a terminal's cursor, or colour it, or turn the direction of writing."""
    if text.isprintable():
        return text
    return "".join(mark if mark.isprintable() or mark == "\N{NO-BREAK SPACE}" else " " for mark in text)


def _cell(value: Value) -> Value:
    """A value that no spreadsheet takes for a formula: agents and their devices call themselves what they like."""
    return f"'{value}" if isinstance(value, str) and value.lstrip().startswith(FORMULA) else value


def _caption(table: Table) -> str:
    """Title and note as sentences."""
    return f"{table.title}. {table.note[:1].upper()}{table.note[1:]}" if table.note else table.title


def _never(value: Value, none_is_never: bool) -> bool:
    return none_is_never if value is None else isinstance(value, float) and math.isinf(value)


def _md(text: str) -> str:
    """Text of a Markdown cell: nothing in it ends the cell, makes a tag or starts markup."""
    text = printable(text)
    for mark in "\\|<>*_`[]":
        text = text.replace(mark, f"\\{mark}")
    return " ".join(text.split())


def _md_row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _tex(text: str) -> str:
    """Text of LaTeX: nothing in it is a command, a comment, or the option of a command before it."""
    return "".join(TEX.get(mark, mark) for mark in " ".join(printable(text).split()))


def _tex_row(cells: Sequence[str]) -> str:
    return f"{' & '.join(cells)} \\\\"
