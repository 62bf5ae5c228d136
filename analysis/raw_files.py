"""Finds the files that a report was made of and those beside it, and how to get there from its page."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import quote

from analysis.load import CLIENTS, HEADER, PARTITION, ROUNDS, Run
from analysis.parts import Link, Links

TABLES, FIGURES = "tables", "figures"
"""Folders beside the page."""
TABLE_SUFFIXES = (".csv", ".md", ".tex")
FIGURE_SUFFIXES = (".html", ".svg", ".png")


def links_from(page: Path, runs: Sequence[Run]) -> Links:
    """Links from the file ``page`` to what is there now: a file that is not has none.

    They are relative, so a folder that is copied with its runs keeps them.
    """
    return Links(
        tables=_by_stem(page, TABLES, TABLE_SUFFIXES),
        figures=_by_stem(page, FIGURES, FIGURE_SUFFIXES),
        runs={
            run.header.run_id: _links(page, [run.path / name for name in (HEADER, ROUNDS, CLIENTS, PARTITION)])
            for run in runs
        },
    )


def _by_stem(page: Path, folder: str, suffixes: Sequence[str]) -> dict[str, tuple[Link, ...]]:
    """The links of each file name without its suffix, in the order of ``suffixes``."""
    found = sorted(each for each in (page.parent / folder).glob("*.*") if each.suffix in suffixes)
    return {
        stem: tuple(
            Link(suffix[1:].upper(), link.address)
            for suffix in suffixes
            for link in _links(page, [page.parent / folder / f"{stem}{suffix}"])
        )
        for stem in dict.fromkeys(each.stem for each in found)
    }


def _links(page: Path, files: Iterable[Path]) -> tuple[Link, ...]:
    there = [(file, _address(page, file)) for file in files if file.is_file()]
    return tuple(Link(file.stem, address) for file, address in there if address)


def _address(page: Path, file: Path) -> str:
    """The way from the page to a file, as a URL; "" where there is none, as between two drives."""
    try:
        way = os.path.relpath(file.resolve(), page.parent.resolve())
    except ValueError:
        return ""
    return quote(Path(way).as_posix())
