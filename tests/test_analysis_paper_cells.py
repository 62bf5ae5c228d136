"""Which runs fill which cell of the paper's tables."""

from __future__ import annotations

import msgspec
import pytest
from paper_runs import curve, setting
from run_folders import run

from analysis.paper.cells import Place, aim, by_place, cells_by_rank, cells_of, deviations, stand_ins
from harness.profiles import Experiment, MethodProfile

FEDERA = Place("roberta-base", "20newsgroups", "federa")


def of_federa(lr: float = 5e-4, rank: int = 32, **changes: object) -> Experiment:
    return msgspec.structs.replace(setting(**changes), methods={"federa": MethodProfile(lr=lr, rank=rank)})


def test_a_run_fills_the_cell_of_what_it_is_timed_as() -> None:
    made = curve("federa", {2: 0.8}, of=setting(trained="micro", dataset="20newsgroups"))
    assert list(cells_of([made])) == [FEDERA]
    assert stand_ins(made) == ("trained on micro, timed as roberta-base",)


def test_runs_of_other_models_of_null_trainers_and_on_the_validation_split_fill_none() -> None:
    others = [
        run(),
        curve("federa", {2: 0.8}, of=setting(train={"trainer": "null"})),
        curve("federa", {2: 0.8}, of=setting(evaluate={"split": "validation"})),
        curve("fedother", {2: 0.8}),
    ]
    assert cells_of(others) == {}


def test_seeds_are_one_cell() -> None:
    (cell,) = cells_of([curve("federa", {2: 0.8}, seed=seed) for seed in (2, 0, 1)]).values()
    assert [each.header.seed for each in cell.group.runs] == [0, 1, 2]
    assert cell.set_aside == 0


def test_of_several_settings_the_one_closest_to_the_papers_is_taken() -> None:
    usual = curve("federa", {2: 0.7})
    other_alpha = curve("federa", {2: 0.8}, of=setting(partition={"alpha": 10.0}, name="ten"), run_id="ten")
    other_rank = curve("federa", {2: 0.8}, of=of_federa(rank=3), run_id="rank-3")
    (cell,) = cells_of([other_alpha, other_rank, usual]).values()
    assert (cell.group.runs[0].header.run_id, cell.set_aside) == (usual.header.run_id, 2)


def test_of_equally_close_ones_that_with_most_runs_then_that_of_the_best_metric() -> None:
    low = curve("federa", {2: 0.7}, of=of_federa(lr=1e-3), run_id="low")
    high = curve("federa", {2: 0.75}, of=of_federa(lr=1e-4), run_id="high")
    (cell,) = cells_of([low, high]).values()
    assert cell.group.runs[0].header.run_id == "high"
    again = curve("federa", {2: 0.7}, of=of_federa(lr=1e-3), seed=1, run_id="low-1")
    (cell,) = cells_of([low, high, again]).values()
    assert [each.header.run_id for each in cell.group.runs] == ["low", "low-1"]


def test_a_cell_has_medians_over_the_clients_of_all_runs() -> None:
    runs = [curve("federa", {2: 0.8}, train_s=train_s, seed=seed) for seed, train_s in enumerate((3.0, 9.0, 4.0))]
    (cell,) = cells_of(runs).values()
    assert (cell.train_s, cell.one_way_s, cell.parameters) == (4.0, pytest.approx(1.68), 1_179_648)


def test_a_run_without_clients_or_parameters_has_none() -> None:
    made = curve("federa", {2: 0.8}, parameters=None)
    (cell,) = cells_of([type(made)(made.header, made.rounds, (), made.path)]).values()
    assert (cell.train_s, cell.one_way_s, cell.parameters) == (None, None, None)


def test_table_9_has_the_ranks_of_low_rank_methods_alone() -> None:
    runs = [curve("federa", {2: 0.8}, of=of_federa(rank=rank), run_id=f"r{rank}") for rank in (3, 128)]
    runs.append(curve("fedft", {2: 0.8}))
    assert set(cells_by_rank(runs)) == {("roberta-base", 3), ("roberta-base", 128)}


def test_the_papers_own_setting_deviates_in_nothing() -> None:
    for dataset in ("20newsgroups", "wnut2017", "squad", "mrqa"):
        assert deviations(curve("federa", {2: 0.8}, of=setting(dataset=dataset))) == ()


def test_what_is_not_the_papers_is_said_with_the_papers_value() -> None:
    made = setting(
        trained="micro",
        partition={"alpha": 1.0, "clients": 40},
        target={"value": 0.5},
        evaluate={"sample": 200},
    )
    found = deviations(curve("federa", {2: 0.8}, of=msgspec.structs.replace(made, methods=of_federa(rank=3).methods)))
    assert found == (
        "trained on micro, timed as roberta-base",
        "alpha 1 (0.1 in the paper)",
        "10 of 40 clients a round (10 of 100 in the paper)",
        "rank 3 (32 in the paper)",
        "target accuracy 0.5 (0.8 in the paper)",
        "evaluated on 200 test samples",
    )
    assert deviations(curve("federa", {2: 0.8}, of=setting(rounds={"over_selection": 2}))) == (
        "the first 10 of 12 chosen clients (none is spare in the paper)",
    )
    assert deviations(curve("federa", {2: 0.8}, of=setting(partition={"kind": "iid"}))) == (
        "partition iid (fednlp-dirichlet in the paper)",
    )


def test_rank_says_nothing_of_a_method_without_one() -> None:
    made = msgspec.structs.replace(setting(), methods={"fedft": MethodProfile(rank=3)})
    assert deviations(curve("fedft", {2: 0.8}, of=made)) == ()


def test_a_run_has_its_own_target_and_the_papers_where_it_has_none() -> None:
    squad = curve("federa", {2: 0.8}, of=setting(dataset="squad", target={"value": 0.4}, further_targets=()))
    assert aim(squad, "exact_match").value == 0.4
    assert (aim(squad, "f1").metric, aim(squad, "f1").value) == ("f1", 0.8)


def test_cells_stand_in_the_papers_order() -> None:
    settings = [("debertav3-base", "20newsgroups"), ("roberta-base", "squad"), ("roberta-base", "20newsgroups")]
    runs = [curve(m, {2: 0.8}, of=setting(*which)) for which in settings for m in ("federa", "fedft")]
    places = [cell.place[:2] for cell in by_place(cells_of(runs))]
    assert list(dict.fromkeys(places)) == settings[::-1]
    assert [cell.place.method for cell in by_place(cells_of(runs))][:2] == ["fedft", "federa"]
