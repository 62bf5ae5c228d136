"""What a round's aggregation lost of what the clients learned, and what privacy it has cost. Pure data."""

from __future__ import annotations

from typing import Literal

import msgspec


class ErrorComponents(msgspec.Struct, frozen=True, kw_only=True):
    """What aggregating low-rank factors loses in a round, as norms over all adapted layers (Frobenius, of s B A).

    M = sum w_k B_k A_k is what the clients learned, M0 = B A what they were given. ``change`` is ||M - M0||; the others
    are relative to it (null where it is 0): ``averaging`` ||M - mean(B) mean(A)||, of the mean of the factors;
    ``truncation`` ||M - svd_r(M)||, of the best factors of rank r; ``made`` ||M - M'||, of what the method made of M.
    """

    change: float
    averaging: float | None
    truncation: float | None
    made: float | None


class PrivacySpent(msgspec.Struct, frozen=True, kw_only=True):
    """The (epsilon, delta) that a run has spent until a round's end, as Opacus' ``accountant`` tells.

    ``unit`` is what is protected: a ``sample`` of the client that spent most, or a ``client``. ``steps`` of noise with
    ``noise_multiplier``, each on a share ``sample_rate`` of the units, drawn independently; ``clip`` is the norm that
    one unit is clipped to. ``exact``: false where the round's clients are drawn in a way that the accountant does not
    know (a fixed number of them), so that epsilon is that of the nearest way it knows.
    """

    epsilon: float
    delta: float
    unit: Literal["sample", "client"]
    noise_multiplier: float
    clip: float
    sample_rate: float
    steps: int
    accountant: Literal["rdp", "prv"]
    exact: bool = True
