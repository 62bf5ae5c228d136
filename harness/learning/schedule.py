"""The learning rate across rounds; pure."""

from __future__ import annotations

import math

from harness.profiles import TrainProfile


def lr_factor(train: TrainProfile, round: int, rounds: int) -> float:
    """What the method's lr is multiplied with in ``round`` of 1 .. ``rounds``; in (0, 1].

    Linear warm-up over the first w rounds: r / (w + 1) in round r. Then 1, or a decay that begins at 1 in round w + 1
    and would reach 0 in the round after the last: linear, or half a cosine.
    """
    warm_up = train.warm_up_rounds
    if round <= warm_up:
        return round / (warm_up + 1)
    if train.schedule == "constant":
        return 1.0
    done = (round - warm_up - 1) / max(rounds - warm_up, 1)
    return 1.0 - done if train.schedule == "linear" else (1.0 + math.cos(math.pi * done)) / 2
