"""Splits are cut by share and seed: nothing is lost, nothing is twice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.learning.data.splits import cut, thinned

TEN = list("abcdefghij")


@given(st.integers(2, 200), st.floats(0.01, 0.99), st.integers(0, 2**32 - 1))
def test_every_sample_is_on_one_side_in_its_old_order(there: int, share: float, seed: int) -> None:
    size = round(there * share)
    if not 0 < size < there:
        return
    left, off = cut(range(there), share, seed, "dataset.test_share")
    assert (len(left), len(off)) == (there - size, size)
    assert sorted(left + off) == list(range(there))
    assert (left, off) == (sorted(left), sorted(off))


def test_the_seed_alone_decides() -> None:
    assert cut(TEN, 0.5, 1, "k") == cut(TEN, 0.5, 1, "k")
    assert cut(TEN, 0.5, 1, "k") != cut(TEN, 0.5, 2, "k")


@pytest.mark.parametrize(("share", "size"), [(0.01, 0), (1.0, 10)])
def test_a_share_that_leaves_a_side_empty_is_one_sentence(share: float, size: int) -> None:
    with pytest.raises(UsageError) as caught:
        cut(TEN, share, 0, "dataset.test_share")
    assert str(caught.value) == (
        f"dataset.test_share is {share:g}, which cuts {size} of 10 samples off; both parts need at least one sample"
    )


def test_a_sample_of_a_split_keeps_its_order() -> None:
    chosen, warnings = thinned(TEN, 4, 0, "test")
    assert len(set(chosen)) == 4
    assert chosen == sorted(chosen)
    assert warnings == ()
    assert chosen != thinned(TEN, 4, 1, "test")[0]


@pytest.mark.parametrize("wanted", [None, 10])
def test_without_a_number_or_with_all_of_them_all_are_kept(wanted: int | None) -> None:
    assert thinned(TEN, wanted, 0, "test") == (TEN, ())


def test_more_than_there_is_is_a_warning() -> None:
    kept, warnings = thinned(TEN, 11, 0, "validation")
    assert kept == TEN
    assert warnings == ("evaluate.sample is 11, but the validation split has 10 samples: all of them are used",)
