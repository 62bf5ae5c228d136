"""How training samples become clients: FedNLP's Dirichlet (FeDeRA, appendix A.3) and other kinds; pure.

Each client has floor(n / N) samples, the last of the order also the remainder. But for ``dirichlet``, which draws with
replacement, every sample lands in exactly one client. Client ids are shuffled afterwards, since classes run out: early
clients are skewed, late ones nearly mixed; ``class-shares`` keeps its order, for there a client is what its row says.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from harness.errors import UsageError
from harness.profiles import PartitionProfile

Indices = NDArray[np.int64]
_MAX_DRAWS = 1_000


def partition(labels: Sequence[int], profile: PartitionProfile, seed: int) -> list[Indices]:
    """Sample indices of each client, by client id.

    Raises:
        UsageError: there are more clients than samples, alpha is not a positive number numpy can draw with, or
            ``shares`` is for another number of classes.
    """
    parts = ordered_partition(labels, profile, seed)
    if profile.kind == "class-shares":
        return parts
    shuffled = np.random.default_rng([seed, 1]).permutation(len(parts))
    return [parts[place] for place in shuffled]


def ordered_partition(labels: Sequence[int], profile: PartitionProfile, seed: int) -> list[Indices]:
    """As :func:`partition`, before client ids are shuffled: from the most skewed clients to the most mixed."""
    classes = np.asarray(labels, dtype=np.int64)
    if profile.clients > len(classes):
        raise UsageError(
            f"partition.clients is {profile.clients}, but there are {len(classes)} training samples: "
            "give each client at least one"
        )
    if not profile.alpha > 0:
        raise UsageError(f"partition.alpha is {profile.alpha:g}; it must be above 0")
    chance = np.random.default_rng([seed, 0])
    sizes = _sizes(len(classes), profile.clients)
    if profile.kind == "iid":
        return np.split(chance.permutation(len(classes)), np.cumsum(sizes)[:-1])
    pools = [chance.permutation(np.flatnonzero(classes == label)) for label in np.unique(classes)]
    if profile.shares is not None:
        return _without_replacement(pools, sizes, _given_shares(profile.shares, len(pools)))
    class_shares = np.array([len(pool) for pool in pools]) / len(classes)
    shares = (_draw_shares(profile.alpha * class_shares, chance) for _ in sizes)
    if profile.kind == "dirichlet":
        return [_with_replacement(pools, size, row, chance) for size, row in zip(sizes, shares, strict=True)]
    return _without_replacement(pools, sizes, shares)


def _sizes(samples: int, clients: int) -> list[int]:
    """floor(n / N) for each client; the last one takes the remainder."""
    quota = samples // clients
    return [quota] * (clients - 1) + [samples - quota * (clients - 1)]


def _without_replacement(
    pools: Sequence[Indices], sizes: Sequence[int], shares: Iterable[NDArray[np.float64]]
) -> list[Indices]:
    """FedNLP's way: for each client its share of each class, from what clients before it left."""
    left = np.array([len(pool) for pool in pools])
    taken = np.zeros_like(left)
    parts = []
    for size, row in zip(sizes, shares, strict=True):
        counts = _counts(row, size, left)
        parts.append(np.concatenate([pool[a : a + n] for pool, a, n in zip(pools, taken, counts, strict=True)]))
        taken += counts
        left = left - counts
    return parts


def _with_replacement(
    pools: Sequence[Indices], size: int, shares: NDArray[np.float64], chance: np.random.Generator
) -> Indices:
    """Samples of one client, whatever the others have; twice at this one only where a class has too few."""
    counts = chance.multinomial(size, shares / shares.sum())
    drawn = [chance.choice(pool, n, replace=n > len(pool)) for pool, n in zip(pools, counts, strict=True) if n]
    return np.concatenate(drawn)


def _given_shares(shares: Sequence[Sequence[float]], classes: int) -> list[NDArray[np.float64]]:
    for client, row in enumerate(shares):
        if len(row) != classes:
            raise UsageError(
                f"partition.shares of client {client} has {len(row)} numbers, but the training samples have {classes} "
                "classes: give one for each, in the order of their sorted names"
            )
    return [np.array(row) for row in shares]


def _draw_shares(concentration: NDArray[np.float64], chance: np.random.Generator) -> NDArray[np.float64]:
    """Class shares of one client; a draw that underflows to NaN is made again."""
    for _ in range(_MAX_DRAWS):
        shares = chance.dirichlet(concentration)
        if np.isfinite(shares).all() and shares.sum() > 0.5:
            return shares
    raise UsageError("partition.alpha is too small to draw class shares with; give a larger one, such as 0.01")


def _counts(shares: NDArray[np.float64], size: int, left: Indices) -> Indices:
    """Samples to take of each class: round(p_c * size), at most what is left; the shortfall in proportion to the rest.

    As in FedNLP classes are served in order and the last one takes what rounding leaves of the size.
    """
    counts = np.zeros_like(left)
    room = size
    for label, share in enumerate(shares):
        last = label == len(shares) - 1
        wanted = room if last else min(round(share * size), room)
        counts[label] = min(wanted, left[label])
        room -= wanted
    return counts + _in_proportion(size - int(counts.sum()), left - counts)


def _in_proportion(total: int, left: Indices) -> Indices:
    """``total`` whole samples in proportion to ``left``, never more than is left (largest remainders)."""
    if total == 0:
        return np.zeros_like(left)
    exact = total * left / left.sum()
    counts: Indices = np.floor(exact).astype(np.int64)
    by_remainder = np.argsort(counts - exact, kind="stable")
    counts[by_remainder[: total - int(counts.sum())]] += 1
    return counts
