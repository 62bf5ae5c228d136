"""Which clients take part in a round."""

from __future__ import annotations

import hashlib
import random


def cohort(seed: int, round: int, clients: int, per_round: int) -> tuple[int, ...]:
    """The clients of a round, sorted: ``per_round`` of ``clients``, uniformly, without repetition.

    It depends on (seed, round) alone, not on the method, on the rounds before or on who is there: with the same seed
    all methods train the same clients in the same rounds, so that a comparison compares methods, not cohorts.
    """
    digest = hashlib.sha256(f"cohort:{seed}:{round}".encode()).digest()
    generator = random.Random(int.from_bytes(digest, "big"))
    # Only random() is promised to draw the same in every version of Python; sample() and shuffle() are not.
    drawn = sorted(range(clients), key=lambda _: generator.random())
    return tuple(sorted(drawn[:per_round]))


def training_line(seed: int, round: int, clients: int, per_round: int, chosen: int) -> tuple[int, ...]:
    """The ``chosen`` clients of a round in the order in which they are trained.

    First the very ``per_round`` that :func:`cohort` draws, then those beyond need: where agents are few, the others are
    begun last, and the round is the one without over-selection as long as none of the first is slow or fails.
    """
    first = cohort(seed, round, clients, per_round)
    begun_first = frozenset(first)
    return *first, *(client for client in cohort(seed, round, clients, chosen) if client not in begun_first)
