"""The summary on top: the targets in order, and the gravest warnings, one for each kind."""

from __future__ import annotations

from run_folders import QUESTIONS, demo, experiment, run

from analysis.front import MOST_WARNINGS, front_of
from analysis.warnings import cautions


def test_each_target_has_its_part() -> None:
    runs = [demo(method, of=QUESTIONS) for method in ("fedlr", "federa")]
    front = front_of(runs, ())
    assert [part.standings_of for part in front.goals] == ["99 % of exact match 0.65", "99 % of F1 0.8"]
    assert [len(part.standings) for part in front.goals] == [2, 2]


def test_the_top_holds_a_few_warnings_and_counts_the_rest() -> None:
    runs = [run((0.1,), seed=seed, warnings=(f"odd {seed}",), state="running") for seed in range(10)]
    found = cautions([*runs, run(method="fedlr", clock="wall")], ["A run was left out: x"])
    front = front_of(runs, found)
    assert [group.kind for group in front.warnings] == ["left out", "clocks", "unfinished", "not reached"]
    assert len(front.warnings) == MOST_WARNINGS
    assert front.more == len(found) - MOST_WARNINGS


def test_a_virtual_fleet_says_at_the_top_where_its_seconds_come_from() -> None:
    (text,) = front_of([run(of=experiment(fleet="virtual"))], ()).basis
    assert "not measured" in text
