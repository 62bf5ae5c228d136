"""Statistics of times over seeds."""

from __future__ import annotations

import math
from itertools import product
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.seeds import bootstrap

NEVER = math.inf
FINITE = st.floats(min_value=0.01, max_value=1e6, allow_nan=False)
TIMES = st.lists(st.one_of(FINITE, st.just(NEVER)), min_size=2, max_size=12)
few = settings(max_examples=30, deadline=None)


@few
@given(TIMES)
def test_the_interval_holds_the_median(times: list[float]) -> None:
    interval = bootstrap.median_interval(times)
    assert interval is not None
    assert interval.low <= median(times) <= interval.high


@few
@given(TIMES, st.randoms(use_true_random=False))
def test_the_order_of_the_runs_does_not_matter(times: list[float], chance: object) -> None:
    shuffled = list(times)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert bootstrap.median_interval(shuffled) == bootstrap.median_interval(times)
    assert bootstrap.trimmed_mean(shuffled) == bootstrap.trimmed_mean(times)


@few
@given(TIMES, st.randoms(use_true_random=False))
def test_the_order_of_the_seeds_does_not_matter_to_a_speed_up(times: list[float], chance: object) -> None:
    pairs = [(time, time * 2 if place % 2 else time / 3) for place, time in enumerate(times)]
    shuffled = list(pairs)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    for paired in (True, False):
        one = bootstrap.speed_up_interval(*map(list, zip(*pairs, strict=True)), paired=paired)
        other = bootstrap.speed_up_interval(*map(list, zip(*shuffled, strict=True)), paired=paired)
        assert one == other


@few
@given(TIMES)
def test_the_interval_lies_between_the_first_and_the_last_run(times: list[float]) -> None:
    interval = bootstrap.median_interval(times)
    assert interval is not None
    assert min(times) <= interval.low <= interval.high <= max(times)


@few
@given(st.lists(FINITE, min_size=2, max_size=12), st.floats(min_value=0.1, max_value=10))
def test_slower_by_a_factor_in_each_seed_is_that_factor_without_doubt(times: list[float], factor: float) -> None:
    slower = [factor * time for time in times]
    interval = bootstrap.speed_up_interval(slower, times, paired=True)
    assert bootstrap.speed_up(slower, times) == pytest.approx(factor)
    assert interval is not None
    assert interval == pytest.approx((factor, factor))


def test_one_run_says_nothing_of_others() -> None:
    assert bootstrap.median_interval([3.0]) is None
    assert bootstrap.speed_up_interval([3.0], [1.0, 2.0], paired=False) is None
    assert bootstrap.speed_up_interval([1.0, 2.0], [3.0], paired=False) is None


def test_with_one_in_five_lost_the_median_stands_and_the_interval_is_open() -> None:
    assert median([1.0, 2.0, 3.0, 4.0, NEVER]) == 3.0
    assert bootstrap.median_interval([1.0, 2.0, 3.0, 4.0, NEVER]) == (1.0, NEVER)


def test_two_runs_have_no_narrower_interval_than_both() -> None:
    assert bootstrap.median_interval([4.0, 2.0]) == (2.0, 4.0)


def test_many_equal_runs_leave_no_doubt_and_many_different_ones_less_than_all() -> None:
    assert bootstrap.median_interval([5.0] * 9) == (5.0, 5.0)
    interval = bootstrap.median_interval([float(time) for time in range(1, 42)])
    assert interval is not None
    assert 12 <= interval.low <= 18  # the binomial interval of a median of 41 runs is from the 14th to the 28th
    assert 24 <= interval.high <= 30


def test_a_speed_up_needs_both_medians() -> None:
    assert bootstrap.speed_up([4.0, 6.0], [2.0]) == 2.5
    assert bootstrap.speed_up([NEVER, NEVER, 1.0], [2.0]) is None
    assert bootstrap.speed_up([4.0], [NEVER]) is None


def test_a_draw_in_which_neither_has_a_median_widens_both_ends() -> None:
    interval = bootstrap.speed_up_interval([2.0, 2.0, NEVER], [1.0, 1.0, NEVER], paired=True)
    assert interval == (0.0, NEVER)


def test_pairs_need_equally_many_runs() -> None:
    with pytest.raises(ValueError, match="equally many runs, got 2 and 3"):
        bootstrap.speed_up_interval([1.0, 2.0], [1.0, 2.0, 3.0], paired=True)


def test_mlperfs_mean_drops_the_fastest_and_the_slowest_of_five() -> None:
    assert bootstrap.trimmed_mean([10.0, 1.0, 2.0, 3.0, 4.0]) == 3.0
    assert bootstrap.trimmed_mean([1.0, 2.0, 3.0, 4.0]) is None


def test_mlperfs_mean_bears_one_lost_run_and_no_second() -> None:
    assert bootstrap.trimmed_mean([1.0, 2.0, 3.0, 4.0, NEVER]) == 3.0
    assert bootstrap.trimmed_mean([1.0, 2.0, 3.0, NEVER, NEVER]) == NEVER


def test_a_spread_is_mean_and_sample_deviation() -> None:
    assert bootstrap.spread([0.5, 0.75]) == (0.625, pytest.approx(0.125 * 2**0.5))
    assert bootstrap.spread([0.5]) == (0.5, None)
    assert bootstrap.spread([]) is None


def test_the_interval_is_that_of_all_resamples_there_are() -> None:
    """Six runs have 46,656 equally likely resamples: their exact percentiles are what 10,000 draws of them estimate."""
    times = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0]
    medians = sorted(median(drawn) for drawn in product(times, repeat=6))
    exact = (medians[int(0.025 * len(medians))], medians[int(0.975 * len(medians))])
    assert exact == (1.5, 24.0)
    assert bootstrap.median_interval(times) == exact
