"""Runs that differ by their seeds alone, and words for their numbers."""

from __future__ import annotations

import math

from run_folders import experiment, run

from analysis.groups import groups_of
from analysis.seeds.bootstrap import Interval, Spread
from analysis.seeds.seeded import Seeded, estimate, named_groups, spread_words, time_words
from analysis.units import Unit
from harness.profiles import TargetProfile

SECONDS = Unit("s", 1, 1)


def test_times_and_rounds_are_infinite_where_the_target_was_never_reached() -> None:
    (group,) = groups_of([run(seed=0, metrics=(0.5, 0.8)), run(seed=1, metrics=(0.5, 0.6))])
    seeded = Seeded(group, TargetProfile())
    assert seeded.times(0.9) == (8.0, math.inf)
    assert seeded.rounds(0.9) == (2, math.inf)
    assert (seeded.bests, seeded.seeds) == ((0.8, 0.6), (0, 1))


def test_a_run_that_was_never_evaluated_has_no_best_metric() -> None:
    (group,) = groups_of([run(seed=0, metrics=(None,)), run(seed=1, metrics=(0.5,))])
    assert Seeded(group, TargetProfile()).bests == (0.5,)


def test_a_value_has_its_interval_behind_it_and_a_dash_where_that_is_open() -> None:
    assert estimate(2.0, Interval(1.0, 3.0), SECONDS) == "2.0 [1.0, 3.0]"
    assert estimate(2.0, Interval(1.0, math.inf), SECONDS) == "2.0 [1.0, -]"
    assert estimate(math.inf, Interval(1.0, math.inf), SECONDS) == "- [1.0, -]"
    assert estimate(math.inf, Interval(math.inf, math.inf), SECONDS) == "-"
    assert estimate(None, Interval(0.0, math.inf), SECONDS) == "-"  # open at both ends: nothing is known
    assert estimate(2.0, None, SECONDS) == "2.0"
    assert estimate(None, None, SECONDS) == "-"


def test_a_metric_of_one_run_has_no_deviation() -> None:
    assert spread_words(Spread(0.81234, 0.0045)) == "0.8123 ± 0.0045"
    assert spread_words(Spread(0.81234, None)) == "0.8123"
    assert spread_words(None) == "n/a"


def test_infinity_is_never_and_nothing_is_not_measured() -> None:
    assert [time_words(value, SECONDS) for value in (1.0, math.inf, None)] == ["1.0", "-", "n/a"]


def test_groups_are_named_by_what_tells_them_apart_whatever_their_seeds() -> None:
    other = experiment(partition={"alpha": 1.0})
    runs = [run(seed=seed, of=of) for of in (experiment(), other) for seed in (0, 1)]
    assert [group.label for group in named_groups(runs)] == ["FeDeRA alpha 0.1", "FeDeRA alpha 1"]
