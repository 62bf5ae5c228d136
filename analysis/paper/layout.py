"""What the paper's tables have in common: rows, units, the start of a record, the cells worth pointing at; pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import median

from analysis import stats, units
from analysis.paper.cells import Cell, Place
from analysis.paper.reference import MODELS
from analysis.rendering import Column, Record
from harness.profiles import FEDERA_METHODS, Method

PRINTED_HOURS = units.Unit("h", 3600, 2)
"""As the paper has them."""
HOURS = units.Unit("h", 3600, 2, least_digits=2)
SECONDS = units.Unit("s", 1, 2)

Grid = Sequence[Sequence[float | None]]
"""A value for each of ROWS and each column."""

Row = tuple[str, Method]
ROWS: tuple[Row, ...] = tuple((model, method) for model in MODELS for method in FEDERA_METHODS)
"""Model and method of each row."""

Cells = Mapping[Place, Cell]

WHO = (Column("model", numeric=False), Column("method", numeric=False))
METRICS = {"exact_match": "EM", "f1": "F1", "accuracy": "accuracy"}


def who(row: Row) -> tuple[str, str]:
    """The names of a row's model and method."""
    return MODELS[row[0]], stats.method_name(row[1])


def place(row: Row, dataset: str) -> Place:
    """A row's place in a column of a data set."""
    return Place(row[0], dataset, row[1])


def time_s(cell: Cell | None, metric: str, fraction: float) -> float | None:
    """The median time of a cell's runs to a fraction; infinity: not reached; None: no runs."""
    return None if cell is None else median(cell.seeded(metric).times(fraction))


def identity(cell: Cell) -> Record:
    """What every record of a cell starts with: the place it fills, and what was run."""
    first = cell.group.runs[0]
    return {
        "model": cell.place.model,
        "dataset": cell.place.dataset,
        "method": cell.place.method,
        "trained_model": first.experiment.model.name,
        "trained_dataset": first.experiment.dataset.name,
        "device": first.experiment.device.name,
        "link": first.experiment.link.name,
        "clock": first.header.clock,
        "runs": len(cell.group.runs),
    }


def smallest(grid: Grid, first_column: int) -> frozenset[tuple[int, int]]:
    """Where the smallest value of each column stands among the rows of its model; alone there is none.

    None and infinity take no part. Equal values share the honour.
    """
    best: set[tuple[int, int]] = set()
    for model in MODELS:
        rows = [place for place, (name, _) in enumerate(ROWS) if name == model]
        for column in range(len(grid[0])):
            found = {row: value for row in rows if (value := grid[row][column]) is not None and math.isfinite(value)}
            if len(found) > 1:
                best |= {(row, first_column + column) for row, value in found.items() if value == min(found.values())}
    return frozenset(best)
