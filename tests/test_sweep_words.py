"""From the words of a sweep's command line to rates and seeds."""

from __future__ import annotations

import pytest

from harness.errors import UsageError
from harness.launch import SEEDED
from harness.sweep.words import GRID, check_sets, rates_of, seeds_of


@pytest.mark.parametrize(
    ("text", "seeds"),
    [("0-4", (0, 1, 2, 3, 4)), ("0,2,5", (0, 2, 5)), ("0-2,7", (0, 1, 2, 7)), ("3", (3,)), ("2, 1 1-2", (1, 2))],
)
def test_seeds_are_single_ones_and_ranges_in_order_and_once(text: str, seeds: tuple[int, ...]) -> None:
    assert seeds_of(text) == seeds


@pytest.mark.parametrize("text", ["4-0", "-1", "a", "1.5", "0-", "4294967296", "0--3", "0;1", "²"])
def test_what_is_no_seed_is_said_with_what_is(text: str) -> None:
    with pytest.raises(UsageError, match=r"--tune-seeds: '.*' is neither a seed nor a range .* 0-4, 0,2,5 or 0-2,7"):
        seeds_of(text, "--tune-seeds")


def test_no_seed_and_far_too_many_are_errors_too() -> None:
    with pytest.raises(UsageError, match="--seeds names no seed"):
        seeds_of(" , ")
    with pytest.raises(UsageError, match="0-4000000000 is 4,000,000,001 seeds; a sweep has at most 1,000"):
        seeds_of("0-4000000000")
    with pytest.raises(UsageError, match="1-1001 is 1,001 seeds"):
        seeds_of("1-1001")
    assert len(seeds_of("1-1000")) == 1000


def test_rates_are_the_paper_s_grid_or_a_list_or_the_profile_s() -> None:
    assert rates_of("grid") == GRID == (1e-3, 5e-4, 1e-4, 5e-5, 1e-5)
    assert rates_of("1e-3, 4e-3 0.001") == (4e-3, 1e-3)
    assert rates_of("profile") is None
    assert rates_of("1") == (1.0,)


@pytest.mark.parametrize("word", ["0", "-1e-3", "nan", "inf", "2", "fast"])
def test_what_is_no_rate_is_named(word: str) -> None:
    with pytest.raises(UsageError, match=f"--lrs: '{word}' is no learning rate"):
        rates_of(f"1e-3,{word}")


def test_a_list_without_rates_is_an_error() -> None:
    with pytest.raises(UsageError, match="--lrs names no learning rate"):
        rates_of("")


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("seeds.training=5", "name the seeds with --seeds"),
        ("seeds={split: 1}", "name the seeds with --seeds"),
        ("evaluate.split=validation", "tests on the test split"),
        ("evaluate={split: test}", "tests on the test split"),
        ("methods.federa.lr=1e-3", "choose --lrs profile"),
        ("methods.federa={lr: 1e-3}", "choose --lrs profile"),
    ],
)
def test_what_the_sweep_sets_itself_cannot_be_overridden(override: str, words: str) -> None:
    with pytest.raises(UsageError, match=f"--set .*{words}"):
        check_sets(["rounds.count=2", override], SEEDED, tuned=True)


def test_other_overrides_may_be_given_and_a_rate_where_none_is_tried() -> None:
    check_sets(["seeds.partition=5", "evaluate.sample=9", "methods.federa.rank=8"], SEEDED, tuned=True)
    check_sets(["methods.federa.lr=1e-3"], SEEDED, tuned=False)
