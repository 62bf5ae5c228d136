"""Tables 2 to 4, 8 and 9 of the paper from runs."""

from __future__ import annotations

import math

import msgspec
from paper_runs import curve, setting

from analysis.load import Run
from analysis.paper.tables import paper_tables
from analysis.rendering import Table
from harness.profiles import MethodProfile
from harness.records import Parameters


def table(number: int, *runs: Run) -> Table | None:
    found = [made for made in paper_tables(runs) if made.name == f"paper-table-{number}"]
    return found[0] if found else None


def row(made: Table | None, *start: str) -> dict[str, str]:
    assert made is not None
    (found,) = [line for line in made.rows if line[: len(start)] == start]
    return dict(zip((column.label for column in made.columns), found, strict=True))


def ranked(rank: int, model: str = "roberta-base", method: str = "federa", one_way_s: float = 1.0) -> Run:
    of = msgspec.structs.replace(setting(model), methods={method: MethodProfile(rank=rank)})
    trained = Parameters(adapter=36_864 * rank, head=1, total=10**8)
    return curve(method, {2: 0.8}, of=of, one_way_s=one_way_s, run_id=f"{model}-{method}-{rank}", parameters=trained)


def test_a_round_is_shown_beside_the_papers_with_rounds_and_hours_to_the_targets() -> None:
    made = row(table(2, curve("federa", {91: 0.72, 160: 0.76}, train_s=3.0, one_way_s=2.0)), "RoBERTa", "FeDeRA")
    assert list(made.values()) == (
        ["RoBERTa", "FeDeRA", "1,179,648", "3.00", "3.27", "2.00", "1.68", "91", "160", "-", "0.18", "0.31", "-"]
    )


def test_a_method_without_a_run_has_the_papers_seconds_alone() -> None:
    made = row(table(2, curve("federa", {91: 0.72})), "DeBERTaV3", "FedFT")
    assert (made["train, s"], made["train, s (paper)"], made["communication, s (paper)"]) == ("n/a", "6.31", "149.98")
    assert (made["trained parameters"], made["rounds to 90 %"], made["h to 90 %"]) == ("n/a", "n/a", "n/a")


def test_each_data_set_has_its_table_and_squad_both_its_targets() -> None:
    runs = [curve("fedlr", {5: 0.9}, of=setting(dataset=name)) for name in ("20newsgroups", "wnut2017", "squad")]
    tables = [table(number, *runs) for number in (2, 3, 4)]
    assert [made and made.title.split(",")[0] for made in tables] == [
        "Table 2: 20News",
        "Table 3: WNUT",
        "Table 4: SQuAD",
    ]
    squad = row(tables[2], "RoBERTa", "FedLR")
    assert (squad["rounds to EM 90 %"], squad["rounds to F1 99 %"]) == ("5", "5")


def test_over_seeds_rounds_are_medians_and_raw_values_stand_in_the_records() -> None:
    made = table(2, *(curve("federa", {number: 0.72}, seed=number) for number in (10, 13)))
    assert row(made, "RoBERTa", "FeDeRA")["rounds to 90 %"] == "12"
    assert made is not None
    (record,) = made.records
    assert (record["accuracy_to_90_rounds"], record["accuracy_to_99_rounds"]) == (11.5, math.inf)
    assert (record["paper_train_s"], record["paper_communication_s"], record["runs"]) == (3.27, 1.68, 2)


def test_the_quickest_to_each_fraction_is_marked() -> None:
    made = table(2, curve("federa", {5: 0.9}), curve("fedlr", {9: 0.9}))
    assert made is not None
    assert {(made.rows[at][1], made.columns[column].label) for at, column in made.best} == {
        ("FeDeRA", f"h to {word}") for word in ("90 %", "95 %", "99 %")
    }


def test_table_8_has_seconds_of_training_for_the_papers_three_data_sets() -> None:
    made = table(8, curve("fedap", {2: 0.5}, train_s=20.5, of=setting("debertav3-base", "squad")))
    found = row(made, "DeBERTaV3", "FedAP")
    assert (found["SQuAD"], found["SQuAD (paper)"]) == ("20.50", "31.86")
    assert (found["20News"], found["20News (paper)"]) == ("n/a", "4.62")
    assert table(8, curve("fedap", {2: 0.5}, of=setting(dataset="ploner"))) is None


def test_table_9_has_a_row_for_each_rank_of_the_paper() -> None:
    runs = [
        ranked(3, one_way_s=0.5),
        ranked(128, one_way_s=4.0),
        ranked(64, "debertav3-base", one_way_s=3.0),
        ranked(7),
    ]
    made = table(9, *runs)
    assert made is not None
    assert made.rows == (
        ("3", "0.1M", "0.96", "110,592", "0.50", "n/a", "n/a"),
        ("32", "1.2M", "1.68", "n/a", "n/a", "n/a", "n/a"),
        ("48", "1.8M", "2.47", "n/a", "n/a", "n/a", "n/a"),
        ("64", "2.4M", "3.24", "n/a", "n/a", "2,359,296", "3.00"),
        ("128", "4.8M", "4.55", "4,718,592", "4.00", "n/a", "n/a"),
    )
    assert [(record["rank"], record["paper_s"]) for record in made.records] == [(3, 0.96), (64, 3.24), (128, 4.55)]


def test_a_rank_that_the_paper_has_not_and_methods_without_rank_make_no_table_9() -> None:
    assert table(9, ranked(7)) is None
    assert table(9, curve("fedft", {2: 0.8})) is None


def test_seconds_without_a_client_are_no_seconds() -> None:
    made = curve("federa", {2: 0.8})
    without = Run(made.header, made.rounds, (), made.path)
    assert (table(8, without), table(9, without)) == (None, None)
    assert row(table(2, without), "RoBERTa", "FeDeRA")["train, s"] == "n/a"
