"""The tables of the FeDeRA paper from runs, with its own figures beside ours where they are known; pure.

Rows and columns are the paper's. Only tables of which these runs fill a cell are made.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from analysis import units
from analysis.load import Run
from analysis.paper import costs
from analysis.paper.cells import Cell, by_place, cells_by_rank, cells_of, stand_ins
from analysis.paper.layout import (
    HOURS,
    METRICS,
    PRINTED_HOURS,
    ROWS,
    WHO,
    Cells,
    Grid,
    Row,
    identity,
    place,
    smallest,
    time_s,
    who,
)
from analysis.paper.notes import note
from analysis.paper.reference import DATASETS, FRACTIONS, SETUPS, TARGETS, hours
from analysis.rendering import Column, Record, Table
from analysis.seeds import bootstrap
from analysis.seeds.seeded import spread_words, time_words

SCORES = tuple((dataset, metric) for dataset, setup in SETUPS.items() for metric in setup.metrics)
"""The columns of Table 1: data set and metric."""

TIMES = tuple((dataset, metric, fraction) for dataset, metric in TARGETS for fraction in FRACTIONS)
"""The columns of Table 5: data set, metric and fraction of its target."""


def paper_tables(runs: Sequence[Run]) -> tuple[Table, ...]:
    """Tables 1 to 5, 8 and 9: those that these runs fill a cell of."""
    cells = cells_of(runs)
    made = (
        performance(cells),
        costs.of_a_round(cells, "20newsgroups", 2),
        costs.of_a_round(cells, "wnut2017", 3),
        costs.of_a_round(cells, "squad", 4),
        time_to_targets(cells),
        costs.local_training(cells),
        costs.communication(cells_by_rank(runs)),
    )
    return tuple(table for table in made if table is not None)


def performance(cells: Cells) -> Table | None:
    """Table 1: the best metric of each method by data set and model, mean and standard deviation over seeds."""
    spreads = {
        (cell.place, metric): spread
        for cell in by_place(cells)
        for metric in SETUPS[cell.place.dataset].metrics
        if (spread := bootstrap.spread(cell.seeded(metric).bests)) is not None
    }
    if not spreads:
        return None
    grid = [[spreads.get((place(row, dataset), metric)) for dataset, metric in SCORES] for row in ROWS]
    used = [cell for cell in by_place(cells) if any(cell.place == filled for filled, _ in spreads)]
    return Table(
        name="paper-table-1",
        title="Table 1: task performance by method, data set and model",
        note=note(["Best metric on the test split: mean and standard deviation over seeds."], used),
        columns=(*WHO, *(Column(f"{DATASETS[dataset]} {METRICS[metric]}") for dataset, metric in SCORES)),
        rows=tuple((*who(row), *map(spread_words, line)) for row, line in zip(ROWS, grid, strict=True)),
        records=tuple(
            identity(cells[filled]) | {"metric": metric, "mean": spread.mean, "std": spread.deviation}
            for (filled, metric), spread in spreads.items()
        ),
        best=smallest([[-spread.mean if spread else None for spread in line] for line in grid], len(WHO)),
    )


def time_to_targets(cells: Cells) -> Table | None:
    """Table 5: hours to 90, 95 and 99 % of the targets; a row of ours and one of the paper's for each method."""
    used = [cell for cell in by_place(cells) if cell.place.dataset in {dataset for dataset, _ in TARGETS}]
    if not used:
        return None
    ours: Grid = [[time_s(cells.get(place(row, name)), metric, f) for name, metric, f in TIMES] for row in ROWS]
    theirs: Grid = [[_paper_s(row, *column) for column in TIMES] for row in ROWS]
    lines = [
        (*who(row), whose, *(time_words(value, unit) for value in grid[at]))
        for at, row in enumerate(ROWS)
        for whose, grid, unit in ((_ours(used, row), ours, HOURS), ("paper", theirs, PRINTED_HOURS))
    ]
    return Table(
        name="paper-table-5",
        title=f"Table 5: hours to {units.listing(map(units.percent, FRACTIONS))} of the target",
        note=note([f"Ours are medians over seeds; {units.NOT_REACHED}: not reached."], used),
        columns=(
            *WHO,
            Column("figures", numeric=False),
            *(Column(f"{DATASETS[name]} {METRICS[metric]}, {units.percent(f)}") for name, metric, f in TIMES),
        ),
        rows=tuple(lines),
        records=_time_records(cells, ours, theirs),
        best=frozenset(
            (2 * row + line, column)
            for line, grid in enumerate((ours, theirs))
            for row, column in smallest(grid, len(WHO) + 1)
        ),
    )


def _ours(used: Sequence[Cell], row: Row) -> str:
    """What a row of ours is called: one that stand-ins alone fill does not pass for the paper's model."""
    runs = [cell.group.runs[0] for cell in used if (cell.place.model, cell.place.method) == row]
    return "stand-in" if runs and all(map(stand_ins, runs)) else "ours"


def _time_records(cells: Cells, ours: Grid, theirs: Grid) -> tuple[Record, ...]:
    """Seconds of every cell that runs of ours fill, a record for each fraction."""
    return tuple(
        identity(cell) | {"metric": metric, "fraction": fraction, "ours_s": our_s, "paper_s": paper_s}
        for row, our_line, their_line in zip(ROWS, ours, theirs, strict=True)
        for (dataset, metric, fraction), our_s, paper_s in zip(TIMES, our_line, their_line, strict=True)
        if (cell := cells.get(place(row, dataset))) is not None
    )


def _paper_s(row: Row, dataset: str, metric: str, fraction: float) -> float:
    """A cell of the paper's Table 5 in seconds; infinity where it has a dash."""
    printed = hours(*row, dataset, metric)[FRACTIONS.index(fraction)]
    return math.inf if printed is None else printed * HOURS.divisor
