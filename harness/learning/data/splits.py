"""Samples are cut in two, or thinned out, by seed; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

import numpy as np

from harness.errors import UsageError

T = TypeVar("T")


def cut(samples: Sequence[T], share: float, seed: int, key: str) -> tuple[list[T], list[T]]:
    """Cut the ``share`` off that the profile's ``key`` gives: (what is left, what is cut off), each in its old order.

    Raises:
        UsageError: one of them would be empty.
    """
    there = len(samples)
    size = round(there * share)
    if not 0 < size < there:
        raise UsageError(
            f"{key} is {share:g}, which cuts {size} of {there} samples off; both parts need at least one sample"
        )
    off = np.zeros(there, dtype=bool)
    off[np.random.default_rng(seed).choice(there, size=size, replace=False)] = True
    return _picked(samples, np.flatnonzero(~off).tolist()), _picked(samples, np.flatnonzero(off).tolist())


def thinned(samples: Sequence[T], wanted: int | None, seed: int, split: str) -> tuple[list[T], tuple[str, ...]]:
    """``evaluate.sample`` samples of a split in their old order, or all where none are asked for; and warnings."""
    there = len(samples)
    if wanted is None or wanted == there:
        return list(samples), ()
    if wanted > there:
        return list(samples), (
            f"evaluate.sample is {wanted}, but the {split} split has {there} samples: all of them are used",
        )
    chosen = np.sort(np.random.default_rng(seed).choice(there, size=wanted, replace=False))
    return _picked(samples, chosen.tolist()), ()


def _picked(samples: Sequence[T], places: Iterable[int]) -> list[T]:
    return [samples[place] for place in places]
