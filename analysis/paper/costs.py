"""The paper's tables of what a round costs: 2, 3 and 4 by data set, 8 of training, 9 of communication; pure."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median

from analysis import units
from analysis.paper.cells import Cell, by_place, stand_ins
from analysis.paper.layout import HOURS, METRICS, ROWS, SECONDS, WHO, Cells, Row, identity, place, smallest, time_s, who
from analysis.paper.notes import note
from analysis.paper.reference import (
    DATASETS,
    FRACTIONS,
    MODELS,
    SETUPS,
    TABLE_9,
    TIMED,
    communication_seconds,
    train_seconds,
)
from analysis.rendering import Column, Record, Table
from analysis.seeds.seeded import time_words

ROUND = units.Unit("round", 1, 0)
PAPER = " (paper)"


def of_a_round(cells: Cells, dataset: str, number: int) -> Table | None:
    """Tables 2, 3, 4: of one data set, per method: parameters, seconds of a round, rounds and hours to the targets."""
    used = [cell for cell in by_place(cells) if cell.place.dataset == dataset]
    if not used:
        return None
    metrics = SETUPS[dataset].metrics
    goals = [(metric, fraction) for metric in metrics for fraction in FRACTIONS]
    words = [f"{METRICS[metric] + ' ' if len(metrics) > 1 else ''}{units.percent(f)}" for metric, f in goals]
    times = [[time_s(cells.get(place(row, dataset)), *goal) for goal in goals] for row in ROWS]
    first_time = len(WHO) + 5 + len(goals)
    return Table(
        name=f"paper-table-{number}",
        title=f"Table {number}: {DATASETS[dataset]}, what a round costs and how many it takes",
        note=note(
            [
                "Trained parameters: without the head. Train: a local training, and communication: a transfer one way, "
                "medians over clients. Rounds and hours: medians over seeds; "
                f"{units.NOT_REACHED}: not reached."
            ],
            used,
        ),
        columns=(
            *WHO,
            Column("trained parameters"),
            *(Column(f"{head}{whose}") for head in ("train, s", "communication, s") for whose in ("", PAPER)),
            *(Column(f"rounds to {word}") for word in words),
            *(Column(f"h to {word}") for word in words),
        ),
        rows=tuple(
            (
                *who(row),
                *_costs(cells.get(place(row, dataset)), row, dataset),
                *(time_words(_rounds(cells.get(place(row, dataset)), *goal), ROUND) for goal in goals),
                *(time_words(value, HOURS) for value in line),
            )
            for row, line in zip(ROWS, times, strict=True)
        ),
        records=tuple(_round_record(cell, metrics) for cell in used),
        best=smallest(times, first_time),
    )


def local_training(cells: Cells) -> Table | None:
    """Table 8: seconds of one local training by model, method and data set."""
    used = [cell for cell in by_place(cells) if cell.place.dataset in TIMED and cell.train_s is not None]
    if not used:
        return None
    return Table(
        name="paper-table-8",
        title="Table 8: seconds of a local training",
        note=note(["Medians over clients."], used, stand_ins),
        columns=(*WHO, *(Column(f"{DATASETS[name]}{whose}") for name in TIMED for whose in ("", PAPER))),
        rows=tuple(
            (
                *who(row),
                *(word for name in TIMED for word in _training(cells.get(place(row, name)), row, name)),
            )
            for row in ROWS
        ),
        records=tuple(
            identity(cell) | {"ours_s": cell.train_s, "paper_s": train_seconds(*_row(cell), cell.place.dataset)}
            for cell in used
        ),
    )


def communication(by_rank: Mapping[tuple[str, int], Cell]) -> Table | None:
    """Table 9: seconds of a transfer, one way, by the rank of FedLR and FeDeRA. ``by_rank``: by model and rank."""
    ranks = [row.rank for row in TABLE_9]
    used = {key: cell for key, cell in by_rank.items() if key[1] in ranks and cell.one_way_s is not None}
    if not used:
        return None
    return Table(
        name="paper-table-9",
        title="Table 9: seconds of communication, one way, by trained parameters",
        note=note(["Rows are ranks of FedLR and FeDeRA; medians over clients."], by_place(used), stand_ins),
        columns=(
            Column("rank"),
            Column(f"parameters{PAPER}"),
            Column(f"s{PAPER}"),
            *(Column(f"{name} {head}") for name in MODELS.values() for head in ("parameters", "s")),
        ),
        rows=tuple(
            (
                str(row.rank),
                row.parameters,
                SECONDS.number(row.seconds),
                *(word for model in MODELS for word in _transfer(used.get((model, row.rank)))),
            )
            for row in TABLE_9
        ),
        records=tuple(
            identity(cell)
            | {"rank": row.rank, "parameters": cell.parameters, "ours_s": cell.one_way_s, "paper_s": row.seconds}
            for row in TABLE_9
            for model in MODELS
            if (cell := used.get((model, row.rank))) is not None
        ),
    )


def _row(cell: Cell) -> Row:
    return cell.place.model, cell.place.method


def _costs(cell: Cell | None, row: Row, dataset: str) -> tuple[str, ...]:
    """Trained parameters, then training and communication, ours and the paper's."""
    return (
        _parameters(cell),
        *_training(cell, row, dataset),
        SECONDS.number(cell.one_way_s if cell else None),
        SECONDS.number(communication_seconds(*row)),
    )


def _training(cell: Cell | None, row: Row, dataset: str) -> tuple[str, str]:
    return SECONDS.number(cell.train_s if cell else None), SECONDS.number(train_seconds(*row, dataset))


def _transfer(cell: Cell | None) -> tuple[str, str]:
    return _parameters(cell), SECONDS.number(cell.one_way_s if cell else None)


def _parameters(cell: Cell | None) -> str:
    trained = cell.parameters if cell else None
    return units.NOT_MEASURED if trained is None else units.count(trained)


def _rounds(cell: Cell | None, metric: str, fraction: float) -> float | None:
    return None if cell is None else median(cell.seeded(metric).rounds(fraction))


def _round_record(cell: Cell, metrics: tuple[str, ...]) -> Record:
    row, dataset = _row(cell), cell.place.dataset
    record = identity(cell) | {
        "parameters": cell.parameters,
        "train_s": cell.train_s,
        "paper_train_s": train_seconds(*row, dataset),
        "communication_s": cell.one_way_s,
        "paper_communication_s": communication_seconds(*row),
    }
    for metric in metrics:
        for fraction in FRACTIONS:
            key = f"{metric}_to_{fraction * 100:g}"
            record |= {f"{key}_rounds": _rounds(cell, metric, fraction), f"{key}_s": time_s(cell, metric, fraction)}
    return record
