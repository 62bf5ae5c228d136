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
