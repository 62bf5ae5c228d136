"""Targets of several runs side by side."""

from __future__ import annotations

from run_folders import QUESTIONS, demo, experiment, round_record, run

from analysis.goals import drawn_places, drawn_together, goal_of, goals_of
from analysis.load import Run
from harness.profiles import TargetProfile

ACCURACY = TargetProfile(metric="accuracy", value=0.7)
TWICE = experiment(further_targets=(ACCURACY,))


def test_a_run_with_one_target_has_one_goal() -> None:
    (goal,) = goals_of([run(), run(method="fedlr")])
    assert (goal.labels, goal.words, goal.metrics) == (("FeDeRA", "FedLR"), "accuracy 0.8", ("accuracy",))


def test_a_second_target_is_a_goal_of_its_own_in_words_for_people() -> None:
    first, second = goals_of([demo("federa", of=QUESTIONS)])
    assert (first.words, second.words) == ("exact match 0.65", "F1 0.8")
    assert second.metric_words == "F1"


def test_a_run_without_a_second_target_takes_no_part_in_it() -> None:
    runs = [demo("fedlr"), demo("federa", of=QUESTIONS)]
    assert [goal.labels for goal in goals_of(runs)] == [("FedLR", "FeDeRA"), ("FeDeRA",)]
    assert goal_of(runs).words == "accuracy 0.8 or exact match 0.65"


def test_each_goal_has_its_own_crossings() -> None:
    records = [round_record(n, metrics={"exact_match": 0.1 * n, "f1": 0.2 * n}) for n in range(1, 8)]
    made = run(of=QUESTIONS)
    first, second = goals_of([Run(made.header, tuple(records), (), made.path)])
    assert [crossing and crossing.round for crossing in first.crossings()[0]] == [6, 7, 7]
    assert [crossing and crossing.round for crossing in second.crossings()[0]] == [4, 4, 4]


def test_each_metric_is_drawn_once_with_the_lines_of_all_its_targets() -> None:
    assert drawn_places([demo("federa", of=QUESTIONS)]) == (0, 1)
    assert drawn_places([run(of=TWICE), run(method="fedlr", of=TWICE)]) == (0,)
    assert [goal.words for goal in drawn_together([run(of=TWICE)], 0)] == ["accuracy 0.8", "accuracy 0.7"]


def test_tables_of_later_goals_are_named_by_their_metric() -> None:
    assert [goal.suffix for goal in goals_of([demo("federa", of=QUESTIONS)])] == ["", "-f1"]
    assert [goal.suffix for goal in goals_of([run(of=TWICE)])] == ["", "-accuracy"]
