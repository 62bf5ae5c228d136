"""Rows of the paper's tables, and the cells worth pointing at."""

from __future__ import annotations

import math

from paper_runs import curve, setting

from analysis.paper.cells import cells_of
from analysis.paper.layout import ROWS, identity, smallest, time_s, who


def column(**values: float) -> list[list[float | None]]:
    """A column of RoBERTa's rows by method; nothing for all others."""
    return [[values.get(method) if model == "roberta-base" else None] for model, method in ROWS]


def test_rows_are_the_papers() -> None:
    assert [who(row) for row in ROWS][:6] == [
        ("RoBERTa", "FedFT"),
        ("RoBERTa", "FedBF"),
        ("RoBERTa", "FedAP"),
        ("RoBERTa", "FedLR"),
        ("RoBERTa", "FeDeRA"),
        ("DeBERTaV3", "FedFT"),
    ]


def test_the_smallest_of_a_model_is_marked_and_equals_share() -> None:
    assert smallest(column(fedft=3.0, fedlr=1.0, federa=1.0), first_column=2) == {(3, 2), (4, 2)}


def test_one_alone_and_what_was_not_reached_are_not_marked() -> None:
    assert smallest(column(fedft=3.0), first_column=0) == frozenset()
    assert smallest(column(fedft=3.0, federa=math.inf), first_column=0) == frozenset()


def test_a_cell_without_runs_has_no_time_and_one_that_never_got_there_infinity() -> None:
    (cell,) = cells_of([curve("federa", {2: 0.1})]).values()
    assert time_s(cell, "accuracy", 0.9) == math.inf
    assert time_s(None, "accuracy", 0.9) is None


def test_a_record_names_the_place_and_what_was_run() -> None:
    (cell,) = cells_of([curve("federa", {2: 0.8}, of=setting(trained="micro"))]).values()
    record = identity(cell)
    assert (record["model"], record["trained_model"], record["runs"]) == ("roberta-base", "micro", 1)
    assert (record["device"], record["clock"]) == ("table8", "critical path")
