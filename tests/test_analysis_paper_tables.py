"""Tables 1 and 5 of the paper from runs."""

from __future__ import annotations

import math
import re

import pytest
from paper_runs import curve, setting
from run_folders import demo

from analysis.paper.tables import paper_tables
from analysis.rendering import Table, to_csv, to_latex

TIMES = ("90 %", "95 %", "99 %")


def table(number: int, *runs: object) -> Table:
    (found,) = [made for made in paper_tables(runs) if made.name == f"paper-table-{number}"]  # type: ignore[arg-type]
    return found


def row(made: Table, *start: str) -> dict[str, str]:
    (found,) = [line for line in made.rows if line[: len(start)] == start]
    return dict(zip((column.label for column in made.columns), found, strict=True))


def test_runs_that_are_not_of_the_papers_models_and_data_make_no_table() -> None:
    assert paper_tables([demo("federa"), demo("fedlr")]) == ()


def test_only_tables_with_a_cell_of_ours_appear() -> None:
    names = [made.name for made in paper_tables([curve("federa", {2: 0.8})])]
    assert names == ["paper-table-1", "paper-table-2", "paper-table-5", "paper-table-8", "paper-table-9"]
    mrqa = [made.name for made in paper_tables([curve("fedft", {2: 0.8}, of=setting(dataset="mrqa"))])]
    assert mrqa == ["paper-table-1"]


@pytest.mark.parametrize(
    ("model", "dataset", "method", "column", "round_number", "metric", "train_s", "one_way_s"),
    [
        ("roberta-base", "20newsgroups", "federa", "20News accuracy", 91, 0.72, 3.27, 1.68),
        ("roberta-base", "20newsgroups", "fedft", "20News accuracy", 90, 0.72, 4.59, 109.67),
        ("roberta-base", "20newsgroups", "fedap", "20News accuracy", 131, 0.72, 3.29, 2.47),
        ("roberta-base", "squad", "federa", "SQuAD EM", 22, 0.585, 22.37, 1.68),
        ("debertav3-base", "wnut2017", "fedbf", "WNUT F1", 354, 0.45, 4.49, 0.96),
    ],
)
def test_under_the_papers_seconds_the_papers_rounds_give_its_hours(
    model: str,
    dataset: str,
    method: str,
    column: str,
    round_number: int,
    metric: float,
    train_s: float,
    one_way_s: float,
) -> None:
    """A round costs a local training and two transfers, and FeDeRA its SVD once: Table 5's arithmetic."""
    made = table(5, curve(method, {round_number: metric}, setting(model, dataset), train_s, one_way_s))
    names = {"roberta-base": "RoBERTa", "debertav3-base": "DeBERTaV3"}
    methods = {"federa": "FeDeRA", "fedft": "FedFT", "fedap": "FedAP", "fedbf": "FedBF"}
    ours, paper = (row(made, names[model], methods[method], whose) for whose in ("ours", "paper"))
    assert ours[f"{column}, 90 %"] == paper[f"{column}, 90 %"]
    assert ours[f"{column}, 99 %"] == "-"


def test_a_fraction_that_was_not_reached_is_a_dash_and_a_cell_without_a_run_is_not_measured() -> None:
    made = table(5, curve("federa", {91: 0.72}))
    ours = row(made, "RoBERTa", "FeDeRA", "ours")
    assert [ours[f"20News accuracy, {time}"] for time in TIMES] == ["0.17", "-", "-"]
    assert [ours[f"WNUT F1, {time}"] for time in TIMES] == ["n/a"] * 3
    assert set(row(made, "RoBERTa", "FedFT", "ours").values()) == {"RoBERTa", "FedFT", "ours", "n/a"}


def test_all_the_papers_figures_stand_beside_ours() -> None:
    made = table(5, curve("federa", {91: 0.72}))
    assert len(made.rows) == 20
    paper = row(made, "RoBERTa", "FedBF", "paper")
    assert [paper[f"20News accuracy, {time}"] for time in TIMES] == ["0.78", "-", "-"]
    assert [paper[f"SQuAD F1, {time}"] for time in TIMES] == ["-", "-", "-"]
    assert row(made, "DeBERTaV3", "FedFT", "paper")["20News accuracy, 99 %"] == "23.84"


def test_squad_has_a_group_of_columns_for_each_of_its_targets() -> None:
    labels = [column.label for column in table(5, curve("federa", {2: 0.8}, of=setting(dataset="squad"))).columns]
    assert labels[9:] == [f"SQuAD {metric}, {time}" for metric in ("EM", "F1") for time in TIMES]


def test_over_seeds_the_median_counts_and_a_run_that_failed_is_later_than_all() -> None:
    runs = [curve("federa", {number: 0.72}, seed=seed) for seed, number in enumerate((91, 400, 50))]
    assert row(table(5, *runs), "RoBERTa", "FeDeRA", "ours")["20News accuracy, 90 %"] == "0.17"
    lost = [curve("federa", {91: 0.5}, seed=seed) for seed in (3, 4, 5)]
    assert row(table(5, *runs, *lost), "RoBERTa", "FeDeRA", "ours")["20News accuracy, 90 %"] == "-"


def test_a_stand_in_is_called_one_and_measured_by_its_own_target_and_the_note_says_so() -> None:
    made = table(5, curve("federa", {91: 0.36}, of=setting(trained="micro", target={"value": 0.4})))
    assert row(made, "RoBERTa", "FeDeRA", "stand-in")["20News accuracy, 90 %"] == "0.17"
    assert "trained on micro, timed as roberta-base;" in made.note
    assert "target accuracy 0.4 (0.8 in the paper)." in made.note


def test_the_shortest_of_ours_and_of_the_papers_are_marked_each_for_itself() -> None:
    made = table(5, curve("federa", {91: 0.72}), curve("fedlr", {180: 0.72}))
    marked = {(made.rows[at][:3], made.columns[column].label) for at, column in made.best}
    assert (("RoBERTa", "FeDeRA", "ours"), "20News accuracy, 90 %") in marked
    assert (("RoBERTa", "FeDeRA", "paper"), "20News accuracy, 99 %") in marked
    assert not any(start[:3] == ("RoBERTa", "FedLR", "ours") for start, _ in marked)


def test_programs_get_seconds_of_every_cell_that_is_ours() -> None:
    made = table(5, curve("federa", {91: 0.72}))
    first, second, third = made.records
    assert first["ours_s"] == pytest.approx(611.95)
    assert first["paper_s"] == pytest.approx(612)
    assert (second["ours_s"], third["fraction"]) == (math.inf, 0.99)
    assert to_csv(made).splitlines()[2].endswith("accuracy,0.95,-,1080.0")


def test_table_1_has_the_mean_and_deviation_of_the_best_metric() -> None:
    runs = [curve("federa", {2: metric}, seed=seed) for seed, metric in enumerate((0.8, 0.7))]
    made = table(1, *runs, curve("fedlr", {2: 0.6}), curve("fedlr", {2: 0.9}, of=setting(dataset="squad")))
    assert row(made, "RoBERTa", "FeDeRA")["20News accuracy"] == "0.7500 ± 0.0707"
    fedlr = row(made, "RoBERTa", "FedLR")
    assert (fedlr["20News accuracy"], fedlr["SQuAD EM"], fedlr["SQuAD F1"]) == ("0.6000", "0.9000", "0.9000")
    assert [made.rows[at][1] for at, _ in made.best] == ["FeDeRA"]
    assert len(made.records) == 4


def test_a_run_that_was_never_evaluated_performs_nothing() -> None:
    made = curve("federa", {2: 0.8}, of=setting(dataset="mrqa"))
    blind = type(made)(made.header, (), (), made.path)
    assert paper_tables([blind]) == ()


def test_every_line_of_every_table_has_all_columns_in_latex_too() -> None:
    runs = [curve(m, {9: 0.8}, of=setting(dataset=d)) for m in ("fedlr", "federa") for d in ("squad", "wnut2017")]
    for made in paper_tables(runs):
        assert {len(line) for line in made.rows} == {len(made.columns)}
        lines = [line for line in to_latex(made).splitlines() if line.endswith(r"\\")]
        assert {len(re.findall(r"(?<!\\)&", line)) + 1 for line in lines} == {len(made.columns)}
