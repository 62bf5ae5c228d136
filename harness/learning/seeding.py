"""Randomness of our own: a stream for each purpose, so that no draw depends on another or on global state.

Free of torch until a generator is made.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def generator(seed: int, purpose: str) -> torch.Generator:
    """A fresh processor generator; generators of different purposes are independent under the same ``seed``."""
    import torch

    return torch.Generator().manual_seed(derived_seed(f"{purpose}/{seed}"))


def derived_seed(stream: str, bits: int = 63) -> int:
    """The seed of one stream of chance, from its name: the first ``bits`` of the name's SHA-256, on every machine.

    A name holds the purpose and the profile's seed, so equal profile seeds do not give equal draws in two places.
    """
    digest = hashlib.sha256(stream.encode()).digest()
    return int.from_bytes(digest, "big") >> (8 * len(digest) - bits)


def profile_seed(purpose: str, seed: int) -> int:
    """The seed of what a profile's ``seeds.<purpose>`` draws once for a run: partition, initialisation, evaluation.

    32 bits, so that a profile keeps the draws it was tuned with.
    """
    return derived_seed(f"{purpose}:{seed}", bits=32)
