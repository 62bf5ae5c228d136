"""What clients hold, as facts and as a table."""

from __future__ import annotations

import csv
import dataclasses
import io

import pytest
from run_folders import partition, run

from analysis import rendering
from analysis.load import Run
from analysis.partitions import partition_table, shared_partitions
from harness.records import Partition

APART = Partition(kind="iid", alpha=0.1, seed=3, classes=("a", "b"), counts=((4, 0), (4, 0), (0, 8)))


def holding(made: Partition | None, method: str = "federa") -> Run:
    return dataclasses.replace(run(method=method), partition=made)


def test_runs_with_equal_partitions_share_one_and_need_no_names() -> None:
    (shared,) = shared_partitions([holding(partition()), holding(partition(), "fedlr")])
    assert shared.labels == ()


def test_different_partitions_are_labelled_by_their_runs() -> None:
    runs = [holding(APART, "fedft"), holding(partition(), "fedlr"), holding(APART), holding(None, "fedap")]
    assert [shared.labels for shared in shared_partitions(runs)] == [("FedFT", "FeDeRA"), ("FedLR",)]


def test_a_run_without_a_record_has_nothing_to_show() -> None:
    assert shared_partitions([holding(None)]) == ()
    assert partition_table([holding(None)]).rows == ()


def test_facts_are_sizes_classes_and_mean_divergences() -> None:
    (shared,) = shared_partitions([holding(APART)])
    assert dict(shared.facts) == {
        "clients": "3",
        "classes": "2",
        "partition": "iid, seed 3",
        "samples a client": "4 to 8, median 4",
        "classes a client": "1 each",
        "divergence of two clients": "0.667 (mean)",
        "divergence from the whole": "0.311 (mean)",
    }


def test_only_a_dirichlet_has_an_alpha() -> None:
    (shared,) = shared_partitions([holding(partition(alpha=0.5))])
    assert shared.kind == "dirichlet, alpha 0.5, seed 0"


def test_the_table_has_a_row_a_client_and_a_column_a_class_with_raw_values() -> None:
    (first, *_) = rows = list(csv.DictReader(io.StringIO(rendering.to_csv(partition_table([holding(APART)])))))
    assert list(first) == ["client", "samples", "from_whole", "class_a", "class_b"]
    assert [(row["client"], row["samples"], row["class_a"], row["class_b"]) for row in rows] == [
        ("0", "4", "4", "0"),
        ("1", "4", "4", "0"),
        ("2", "8", "0", "8"),
    ]
    assert float(first["from_whole"]) == pytest.approx(0.3112781244591329)
    assert partition_table([holding(APART)]).rows[0][2] == "0.311"


def test_partitions_of_other_data_stand_in_the_same_table_with_their_runs() -> None:
    other = Partition(kind="iid", alpha=0.1, seed=0, classes=("b", "c"), counts=((1, 2),))
    table = partition_table([holding(APART, "fedlr"), holding(other)])
    assert [column.label for column in table.columns][:2] == ["runs", "client"]
    assert [(record["runs"], record["class_a"], record["class_c"]) for record in table.records[2:]] == [
        ("FedLR", 0, None),
        ("FeDeRA", None, 2),
    ]
    assert rendering.to_csv(table).splitlines()[-1].endswith(",,1,2")


def test_a_class_may_be_called_as_a_column_is() -> None:
    odd = Partition(kind="iid", alpha=0.1, seed=0, classes=("client", "samples"), counts=((1, 2),))
    (record,) = partition_table([holding(odd)]).records
    assert (record["client"], record["samples"], record["class_client"], record["class_samples"]) == (0, 3, 1, 2)
