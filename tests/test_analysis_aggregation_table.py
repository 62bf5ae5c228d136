"""One table of accuracy, seconds, bytes, errors and privacy."""

from __future__ import annotations

import math

import aggregation_runs
import pytest
from run_folders import QUESTIONS, demo

from analysis import rendering
from analysis.aggregation.table import aggregation_table, aggregation_tables, epsilon, printed_tables, share
from analysis.load import Run
from analysis.rendering import Table
from harness.profiles import MethodProfile, PrivacyProfile


def made(*methods: str) -> list[Run]:
    return [aggregation_runs.run(method) for method in methods]


def column(table: Table, label: str) -> list[str]:
    place = [each.label for each in table.columns].index(label)
    return [row[place] for row in table.rows]


def best(table: Table, label: str) -> list[str]:
    """The methods whose cell of a column is pointed at."""
    place = [each.label for each in table.columns].index(label)
    return [row[0] for at, row in enumerate(table.rows) if (at, place) in table.best]


def test_the_adapter_s_megabytes_each_way_are_those_of_the_methods_papers() -> None:
    """RoBERTa-base, rank 32, query and value of 12 layers: 4.72 MB of factors."""
    table = aggregation_table(made("fedlr", "ffa", "fra", "fedex", "fedsvd", "fedsa"))
    assert column(table, "adapter down, MB") == ["4.72", "2.36", "4.72", "51.9", "4.72", "2.36"]
    assert column(table, "adapter up, MB") == ["4.72", "2.36", "4.72", "4.72", "2.36", "2.36"]
    assert column(table, "head each way, kB") == ["6.15", "6.15", "6.15", "6.15", "6.15", "0"]


def test_errors_are_percent_as_mean_and_last_and_what_rounding_leaves_is_next_to_nothing() -> None:
    table = aggregation_table(made("fedft", "ffa", "fra", "fedsvd"))
    assert column(table, "made, % mean (last)") == ["n/a", "< 0.001", "16.9 (18.4)", "0"]
    assert column(table, "averaging, % mean (last)")[2] == "26.0 (28.4)"
    assert [share(value) for value in (None, 0.0, 9e-6, 0.00041, 3.2)] == ["n/a", "0", "< 0.001", "0.0410", "320"]


def test_a_reference_has_its_accuracy_but_no_bytes_and_no_honour() -> None:
    table = aggregation_table(made("fedlr", "fra", "central"))
    assert table.rows[-1][0] == "Centralised (reference)"
    for label in ("adapter down, MB", "adapter up, MB", "head each way, kB", "MB in all"):
        assert column(table, label)[-1] == "none"
    accuracies = [float(cell) for cell in column(table, "best accuracy")]
    assert max(accuracies) == accuracies[-1]
    assert best(table, "best accuracy") == best(table, "90 %, s") == ["FRA-LoRA"]
    assert "The reference trains on all clients' data" in table.note
    assert "clocks differ" not in table.note
    assert "reference" not in aggregation_table(made("fedlr", "fra")).note


def test_personal_models_are_told_and_take_no_honour_from_a_global_one() -> None:
    table = aggregation_table(made("fra", "ffa", "fedsa"))
    assert float(column(table, "best accuracy")[2]) > float(column(table, "best accuracy")[1])
    assert best(table, "best accuracy") == best(table, "99 %, s") == ["FRA-LoRA"]
    assert "Personal: the mean over the clients' own models" in table.note


def test_columns_stand_only_where_there_is_something_in_them() -> None:
    labels = [each.label for each in aggregation_table(made("fra")).columns]
    assert not {"epsilon", "settings"} & set(labels)
    private = [aggregation_runs.run("ffa", privacy=PrivacyProfile(kind="dp-sgd")), *made("fra")]
    table = aggregation_table(private)
    assert column(table, "epsilon") == ["10.7", "none"]
    assert column(table, "settings") == ["DP-SGD noise 1", "defaults"]
    without = aggregation_table([aggregation_runs.run("fedft")])
    assert not any("averaging" in each.label for each in without.columns)
    assert epsilon(None) == "none"


def test_programs_get_raw_values() -> None:
    settings = MethodProfile(initialisation="federa")
    records = aggregation_table([aggregation_runs.run("fra", rounds=2, settings=settings), *made("central")]).records
    fra, central = records
    assert (fra["start"], fra["settings"], fra["rounds"]) == ("FeDeRA's", "", 2)
    assert (fra["client_upload_adapter_bytes"], fra["client_upload_head_bytes"]) == (4 * 1_179_648, 6152)
    assert fra["payload_bytes"] == 2 * 3 * 2 * 4 * (1_179_648 + 1_538)
    assert fra["made_mean"] == pytest.approx(0.13 * 1.1, rel=0.1)
    assert math.isinf(float(str(fra["to_99_s"])))
    assert (central["client_upload_bytes"], central["payload_bytes"], fra["epsilon"]) == (None, 0, None)
    header, first, _ = rendering.to_csv(aggregation_table(made("fra", "central"))).splitlines()
    assert header.startswith("run,method,seed,label,start,settings,metric,best,last,rounds,clock,to_90_s")
    assert first.split(",")[1:3] == ["fra", "0"]


def test_the_table_stands_where_there_is_anything_to_say_of_aggregation() -> None:
    old = [demo("fedlr", rounds=2), demo("federa", rounds=2)]
    assert aggregation_tables(old) == printed_tables(old) == ()
    told = [aggregation_runs.run("fedlr", rounds=2)]
    assert [table.name for table in aggregation_tables(told)] == ["aggregation"]
    assert printed_tables(told) == ()  # it merely averages its factors, as it always did
    assert len(printed_tables(made("fedlr", "ffa"))) == 1


def test_each_target_has_its_table() -> None:
    questions = [demo("fedlr", rounds=3, of=QUESTIONS), *[demo("federa", rounds=3, of=QUESTIONS)]]
    tables = [aggregation_table(questions, place) for place in range(2)]
    assert [table.name for table in tables] == ["aggregation", "aggregation-f1"]
    assert column(tables[1], "best F1") != column(tables[0], "best exact match")
