"""Jensen-Shannon between clients: 0 for equal classes, 1 for none in common, the published figures on real labels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from test_partition import news_labels

from harness import divergence
from harness.learning.data.partition import partition
from harness.profiles import PartitionProfile

COUNTS = arrays(np.int64, (4, 5), elements=st.integers(0, 50)).filter(
    lambda counts: bool((counts.sum(axis=1) > 0).all())
)


def test_counts_are_each_clients_samples_by_class() -> None:
    parts = [np.array([0, 3]), np.array([1, 2, 4])]
    assert divergence.class_counts([0, 1, 1, 2, 0], parts, classes=4).tolist() == [[1, 0, 1, 0], [1, 2, 0, 0]]


def test_equal_shares_are_0_apart_and_disjoint_classes_1() -> None:
    apart = divergence.between_clients(np.array([[2, 2, 0], [5, 5, 0], [0, 0, 9]]))
    assert apart.tolist() == [[0, 0, 1], [0, 0, 1], [1, 1, 0]]
    assert divergence.mean_of_pairs(apart) == pytest.approx(2 / 3)


def test_one_class_against_an_even_mixture_of_two_is_known() -> None:
    # H(3/4, 1/4) - (H(1, 0) + H(1/2, 1/2)) / 2, in bits
    known = -(0.75 * np.log2(0.75) + 0.25 * np.log2(0.25)) - 0.5
    assert divergence.between_clients(np.array([[4, 0], [3, 3]]))[0, 1] == pytest.approx(known)


def test_the_whole_is_all_samples_not_the_mean_of_clients() -> None:
    far, near = divergence.against_the_whole(np.array([[1, 0], [50, 50]]))
    assert far > 0.3
    assert near < 1e-4


def test_a_single_client_is_not_apart_from_anyone() -> None:
    assert divergence.mean_of_pairs(divergence.between_clients(np.array([[1, 2]]))) == 0.0


@given(COUNTS)
def test_it_is_symmetric_bounded_and_zero_on_the_diagonal(counts: np.ndarray) -> None:
    apart = divergence.between_clients(counts)
    np.testing.assert_allclose(apart, apart.T, atol=1e-12)
    assert apart.min() >= 0
    assert apart.max() <= 1
    assert np.abs(np.diag(apart)).max() < 1e-12


@pytest.mark.parametrize(("alpha", "published"), [(0.1, 0.866), (1.0, 0.827), (10.0, 0.453)])
def test_on_20_newsgroups_the_mean_of_pairs_is_about_the_published_one(alpha: float, published: float) -> None:
    """One draw of the partition strays by 0.015 (standard deviation over seeds), and the published one is one draw."""
    labels, profile = news_labels(), PartitionProfile(clients=100, alpha=alpha)
    draws = (divergence.class_counts(labels, partition(labels, profile, seed), classes=20) for seed in range(12))
    means = [divergence.mean_of_pairs(divergence.between_clients(counts)) for counts in draws]
    assert np.mean(means) == pytest.approx(published, abs=0.03)
