"""The words of a sweep's command line: learning rates, seeds, and which overrides a sweep cannot take."""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.errors import UsageError
from harness.profiles import Experiment

GRID = (1e-3, 5e-4, 1e-4, 5e-5, 1e-5)
"""The learning rates that FeDeRA, section 5.1, chooses from for each model and data set."""

MOST_SEEDS = 1000
"""More are a slip of the keyboard."""
SEED_LIMIT = 2**32


def rates_of(text: str) -> tuple[float, ...] | None:
    """The learning rates of ``--lrs``, largest first, each once; None for ``profile``: each method's own.

    Raises:
        UsageError: a word is no learning rate, or there is none.
    """
    if text == "profile":
        return None
    if text == "grid":
        return GRID
    rates = {_rate(word) for word in text.replace(",", " ").split()}
    if not rates:
        raise UsageError("--lrs names no learning rate; give grid, profile, or a list such as 1e-3,5e-4")
    return tuple(sorted(rates, reverse=True))


def _rate(word: str) -> float:
    try:
        rate = float(word)
    except ValueError:
        rate = 0.0
    if not 0 < rate <= 1:  # not of nan either
        raise UsageError(f"--lrs: '{word}' is no learning rate; give grid, profile, or numbers above 0 up to 1")
    return rate


def seeds_of(text: str, option: str = "--seeds") -> tuple[int, ...]:
    """The seeds that ``0-4``, ``0,2,5`` or ``0-2,7`` stands for, in order, each once.

    Raises:
        UsageError: it is none of these.
    """
    seeds: set[int] = set()
    for word in text.replace(",", " ").split():
        first, last = _bounds(word, option)
        if last - first >= MOST_SEEDS:
            raise UsageError(f"{option}: {word} is {last - first + 1:,} seeds; a sweep has at most {MOST_SEEDS:,}")
        seeds.update(range(first, last + 1))
    if not seeds:
        raise UsageError(f"{option} names no seed; give them as 0-4, 0,2,5 or 0-2,7")
    return tuple(sorted(seeds))


def _bounds(word: str, option: str) -> tuple[int, int]:
    match = re.fullmatch(r"([0-9]{1,10})(?:-([0-9]{1,10}))?", word)
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
    if first > last or last >= SEED_LIMIT:
        raise UsageError(f"{option}: '{word}' is neither a seed nor a range of seeds; give them as 0-4, 0,2,5 or 0-2,7")
    return first, last


def check_sets(sets: Sequence[str], varied: Sequence[str], tuned: bool) -> None:
    """See that no ``--set`` fixes what the sweep itself sets: ``seeds.<varied>``, the split, and a tuned method's lr.

    Raises:
        UsageError: one does.
    """
    for override in sets:
        key = override.partition("=")[0].strip()
        if key == "seeds" or key in [f"seeds.{purpose}" for purpose in varied]:
            raise UsageError(f"--set {override}: a sweep gives each run its seed; name the seeds with --seeds")
        if key in ("evaluate", "evaluate.split"):
            raise UsageError(f"--set {override}: a sweep tunes on the validation split and tests on the test split")
        if tuned and re.fullmatch(r"methods|methods\.[^.]+|methods\.[^.]+\.lr", key):
            raise UsageError(
                f"--set {override}: --lrs says which learning rates are tried; leave it out, or choose --lrs profile"
            )


def check_trains(experiment: Experiment, tuned: bool) -> None:
    """See that there is something to choose a learning rate by.

    Raises:
        UsageError: the trainer is the null trainer, whose runs are never evaluated.
    """
    if tuned and experiment.train.trainer == "null":
        raise UsageError(
            f"{experiment.name} trains nothing (train.trainer: null), so no learning rate can be chosen; give "
            "--lrs profile, or another profile"
        )
