"""Samples become clients: every one once, sizes as the paper's, skew first and mixture last."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.learning.data.partition import ordered_partition, partition
from harness.profiles import PartitionProfile

NEWS = Path(__file__).parents[1].parent / "shared" / "data" / "20newsgroups_train.parquet"
LABELS = [place % 5 for place in range(203)]


def top_share(labels: list[int], part: np.ndarray) -> float:
    return float(np.bincount(np.asarray(labels)[part]).max() / len(part))


def news_labels() -> list[int]:
    """Classes in the numbers of 20Newsgroups: the real labels where they are, else as many of each class."""
    if not NEWS.is_file():
        pytest.skip("20Newsgroups is not in ../shared/data")
    import pyarrow.parquet as parquet

    names = parquet.read_table(NEWS, columns=["label"])["label"].to_pylist()
    index = {name: place for place, name in enumerate(sorted(set(names)))}
    return [index[name] for name in names]


@pytest.mark.parametrize("kind", ["fednlp-dirichlet", "iid"])
@settings(deadline=None, max_examples=40)
@given(
    labels=st.lists(st.integers(0, 6), min_size=1, max_size=120),
    clients=st.integers(1, 30),
    alpha=st.floats(0.01, 100),
    seed=st.integers(0, 2**32 - 1),
)
def test_every_sample_lands_in_exactly_one_client(
    kind: str, labels: list[int], clients: int, alpha: float, seed: int
) -> None:
    clients = min(clients, len(labels))
    profile = PartitionProfile(kind=kind, clients=clients, alpha=alpha)  # type: ignore[arg-type]
    parts = partition(labels, profile, seed)
    assert len(parts) == clients
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(labels)))
    quota = len(labels) // clients
    assert sorted(map(len, parts)) == [quota] * (clients - 1) + [len(labels) - quota * (clients - 1)]


@pytest.mark.parametrize(
    ("samples", "clients", "most", "last"),
    [(11_314, 100, 113, 127), (8_000, 100, 80, 80), (3_394, 30, 113, 117), (87_599, 300, 291, 590)],
)
def test_sizes_of_the_paper_s_data_sets(samples: int, clients: int, most: int, last: int) -> None:
    """20Newsgroups, SemEval-2010 Task 8, WNUT2017 and SQuAD, with as many classes as their samples are given."""
    labels = np.random.default_rng(0).integers(0, 30, samples).tolist()
    parts = ordered_partition(labels, PartitionProfile(clients=clients, alpha=0.1), seed=0)
    assert [len(part) for part in parts] == [most] * (clients - 1) + [last]
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(samples))


def test_20_newsgroups_has_99_clients_of_113_and_one_of_127() -> None:
    sizes = [len(part) for part in ordered_partition(news_labels(), PartitionProfile(clients=100, alpha=0.1), seed=0)]
    assert sizes == [113] * 99 + [127]


def test_on_20_newsgroups_early_clients_hold_one_class_and_late_ones_a_mixture() -> None:
    labels = news_labels()
    first, last = [], []
    for seed in range(5):
        parts = ordered_partition(labels, PartitionProfile(clients=100, alpha=0.1), seed)
        first += [top_share(labels, part) for part in parts[:20]]
        last += [top_share(labels, part) for part in parts[-20:]]
    assert np.mean(first) == pytest.approx(0.92, abs=0.04)
    assert np.mean(last) == pytest.approx(0.40, abs=0.10)


def test_client_ids_are_shuffled_so_that_skew_does_not_follow_them() -> None:
    profile = PartitionProfile(clients=20, alpha=0.05)
    ordered = [tuple(part) for part in ordered_partition(LABELS, profile, seed=3)]
    shuffled = [tuple(part) for part in partition(LABELS, profile, seed=3)]
    assert shuffled != ordered
    assert sorted(shuffled) == sorted(ordered)


@pytest.mark.parametrize("kind", ["fednlp-dirichlet", "iid"])
def test_the_seed_alone_decides(kind: str) -> None:
    profile = PartitionProfile(kind=kind, clients=20, alpha=0.5)  # type: ignore[arg-type]

    def parts(seed: int) -> list[list[int]]:
        return [part.tolist() for part in partition(LABELS, profile, seed)]

    assert parts(1) == parts(1)
    assert parts(1) != parts(2)


def test_a_large_alpha_gives_every_client_the_whole_sets_classes() -> None:
    parts = partition(LABELS, PartitionProfile(clients=4, alpha=1e6), seed=0)
    assert all(top_share(LABELS, part) == pytest.approx(0.2, abs=0.03) for part in parts)


def test_with_replacement_late_clients_are_as_skewed_as_early_ones() -> None:
    shares: dict[str, list[float]] = {}
    for kind in ("fednlp-dirichlet", "dirichlet"):
        profile = PartitionProfile(kind=kind, clients=50, alpha=0.1)  # type: ignore[arg-type]
        last = [ordered_partition(LABELS * 20, profile, seed)[-10:] for seed in range(5)]
        shares[kind] = [top_share(LABELS * 20, part) for parts in last for part in parts]
    assert np.mean(shares["dirichlet"]) > 0.85
    assert np.mean(shares["fednlp-dirichlet"]) < 0.8


@settings(deadline=None, max_examples=40)
@given(
    labels=st.lists(st.integers(0, 6), min_size=1, max_size=120),
    clients=st.integers(1, 30),
    alpha=st.floats(0.01, 100),
    seed=st.integers(0, 2**32 - 1),
)
def test_with_replacement_sizes_hold_and_a_client_repeats_a_sample_only_where_its_class_is_short(
    labels: list[int], clients: int, alpha: float, seed: int
) -> None:
    clients = min(clients, len(labels))
    parts = partition(labels, PartitionProfile(kind="dirichlet", clients=clients, alpha=alpha), seed)
    assert sum(map(len, parts)) == len(labels)
    there = np.bincount(labels, minlength=7)
    for part in parts:
        taken = np.bincount(np.asarray(labels)[part], minlength=7)
        distinct = np.bincount(np.asarray(labels)[np.unique(part)], minlength=7)
        assert (distinct[taken <= there] == taken[taken <= there]).all()


def test_given_shares_are_what_each_client_gets_in_the_order_of_its_row() -> None:
    rows = ((0.1, 0.9), (0.9, 0.1), (0.5, 0.5))
    labels = [0, 1] * 300
    profile = PartitionProfile(kind="class-shares", clients=3, shares=rows)
    parts = partition(labels, profile, seed=0)
    assert [np.bincount(np.asarray(labels)[part]).tolist() for part in parts] == [[20, 180], [180, 20], [100, 100]]
    assert sorted(np.concatenate(parts).tolist()) == list(range(600))


def test_a_class_that_runs_out_is_filled_from_what_is_left() -> None:
    profile = PartitionProfile(kind="class-shares", clients=2, shares=((1.0, 0.0), (1.0, 0.0)))
    parts = partition([0] * 30 + [1] * 70, profile, seed=0)
    assert [len(part) for part in parts] == [50, 50]
    assert sorted(np.concatenate(parts).tolist()) == list(range(100))


def test_shares_for_another_number_of_classes_are_one_sentence() -> None:
    profile = PartitionProfile(kind="class-shares", clients=2, shares=((0.5, 0.5), (1.0, 0.0)))
    with pytest.raises(UsageError, match=r"partition\.shares of client 0 has 2 numbers, but .* have 5 classes"):
        partition(LABELS, profile, seed=0)


def test_more_clients_than_samples_is_one_sentence() -> None:
    with pytest.raises(UsageError, match=r"partition\.clients is 9, but there are 4 training samples"):
        partition([0, 1, 0, 1], PartitionProfile(clients=9), seed=0)


def test_an_alpha_that_is_not_above_zero_is_one_sentence() -> None:
    with pytest.raises(UsageError, match=r"partition\.alpha is 0; it must be above 0"):
        partition(LABELS, PartitionProfile(clients=4, alpha=0.0), seed=0)
