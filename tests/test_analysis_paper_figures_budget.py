"""The best metric within a budget."""

from __future__ import annotations

from dataclasses import replace

import msgspec
from run_folders import DEMO, demo, run

from analysis.paper.budget import best_within, budgets
from analysis.paper.panels import panels_of


def test_a_fall_does_not_lower_what_was_reached() -> None:
    made = run((0.5, None, 0.7, 0.6))
    assert best_within(made, "accuracy", [1.0, 2.0, 3.0, 4.0]) == {1.0: 0.5, 3.0: 0.7, 4.0: 0.7}
    assert best_within(run((None,)), "accuracy", [1.0]) == {}


def test_between_two_steps_nothing_is_drawn() -> None:
    """Marks of rounds that change nothing would stand side by side at the end of a logarithmic axis."""
    made = run((0.5, 0.5, 0.4, 0.7, 0.7, 0.6, None))
    assert best_within(made, "accuracy", [float(x) for x in range(1, 8)]) == {1.0: 0.5, 4.0: 0.7, 6.0: 0.7}


def test_the_three_budgets_are_rounds_seconds_and_bytes_so_far() -> None:
    (panel,) = panels_of([run((0.5, 0.7))])
    rounds, seconds, sent = budgets(panel)
    assert list(rounds.figure.data[0].x) == [1.0, 2.0]
    assert list(seconds.figure.data[0].x) == [4.0, 8.0]
    assert list(sent.figure.data[0].x) == [2.0, 4.0]  # kB: 1,000 bytes each way a round
    assert sent.figure.layout.xaxis.title.text == "budget: payload both ways, kB"
    assert all(each.figure.data[0].line.shape == "hv" for each in (rounds, seconds, sent))


def test_bytes_of_rounds_that_were_not_evaluated_count() -> None:
    (panel,) = panels_of([run((0.5, None, 0.7))])
    assert list(budgets(panel)[2].figure.data[0].x) == [2.0, 6.0]


def test_seeds_with_other_seconds_share_one_median() -> None:
    """The second seed is a second behind: within 4 s one had nothing, from 5 s on there are two to take a median of."""
    one, other = run((0.4, 0.6), seed=0), run((0.5, 0.8), seed=1)
    later = tuple(msgspec.structs.replace(r, elapsed_s=r.elapsed_s + 1) for r in other.rounds)
    (panel,) = panels_of([one, replace(other, rounds=later)])
    low, high, line = budgets(panel)[1].figure.data
    assert list(line.x) == [5.0, 8.0, 9.0]
    assert list(low.y) == [0.4, 0.5, 0.6]
    assert list(high.y) == [0.5, 0.6, 0.8]


def test_an_axis_of_seconds_is_logarithmic_where_methods_are_far_apart() -> None:
    (panel,) = panels_of([demo(method) for method in DEMO])
    rounds, seconds, sent = (each.figure.layout.xaxis.type for each in budgets(panel))
    assert (rounds, seconds, sent) == (None, "log", "log")
