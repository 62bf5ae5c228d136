"""Which learning rate is taken."""

from __future__ import annotations

import msgspec
from sweep_stage import asked, plan

from harness.sweep.choice import Outcome, best_lr, chosen_lrs, outcome_of, runs_of


def run(best: float | None, state="done", method="federa", lr=1e-3, seed=0) -> Outcome:
    return Outcome(stage="validation", method=method, lr=lr, seed=seed, state=state, best=best)


def test_the_best_mean_wins() -> None:
    assert best_lr({4e-3: [run(0.5), run(0.9)], 1e-3: [run(0.8), run(0.7)]}) == 1e-3


def test_of_equal_means_the_smaller_rate_wins() -> None:
    assert best_lr({4e-3: [run(0.5)], 1e-3: [run(0.5)], 1e-2: [run(0.5)]}) == 1e-3


def test_a_failed_run_counts_as_worst_whatever_it_reached_before() -> None:
    assert best_lr({4e-3: [run(0.9), run(0.9, "failed")], 1e-3: [run(0.5), run(0.5)]}) == 1e-3


def test_a_rate_none_of_whose_runs_is_done_is_not_taken() -> None:
    assert best_lr({1e-3: [run(0.9, "failed")], 4e-3: [run(0.0)]}) == 4e-3
    assert best_lr({1e-3: [run(0.9, "failed")]}) is None
    assert best_lr({4e-3: [run(0.9), run(None, "failed")], 1e-3: [run(0.4), run(0.4)]}) == 4e-3


def test_runs_without_evaluation_are_all_alike() -> None:
    assert best_lr({4e-3: [run(None)], 1e-3: [run(None)]}) == 1e-3


def outcomes(count: int) -> list[Outcome]:
    runs = plan().validation()
    return [outcome_of(one, "done", [{"accuracy": 0.5 + one.lr}], None) for one in runs][:count]


def test_a_method_has_its_rate_once_all_its_runs_have_ended() -> None:
    assert chosen_lrs(asked(), outcomes(8)) == {"fedlr": 4e-3, "federa": 4e-3}
    assert chosen_lrs(asked(), outcomes(7)) == {"fedlr": 4e-3}
    assert chosen_lrs(asked(), outcomes(0)) == {}


def test_a_method_with_one_rate_has_it_from_the_start() -> None:
    assert chosen_lrs(asked(rates=[1e-3]), []) == {"fedlr": 1e-3, "federa": 1e-3}


def test_a_test_run_has_no_say_in_the_choice() -> None:
    tried = outcomes(8)
    tested = [msgspec.structs.replace(one, stage="test", best=1.0) for one in tried if one.lr == 1e-3]
    assert chosen_lrs(asked(), [*tried, *tested]) == {"fedlr": 4e-3, "federa": 4e-3}
    assert [one.seed for one in runs_of([*tested, *tried][::-1], "test", "federa", 1e-3)] == [0, 1]


def test_an_outcome_is_the_best_over_the_rounds_of_the_target_s_metric() -> None:
    planned = plan().validation()[0]
    metrics = [{"accuracy": 0.4}, {}, {"accuracy": 0.7, "f1": 0.9}, {"accuracy": 0.6}]
    assert outcome_of(planned, "done", metrics, None).best == 0.7
    assert outcome_of(planned, "done", [{}], None).best is None
