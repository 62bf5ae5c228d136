"""Randomness of our own: a torch generator for each purpose, so that no draw depends on another or on global state."""

from __future__ import annotations

import hashlib

import torch


def generator(seed: int, purpose: str) -> torch.Generator:
    """A fresh processor generator; generators of different purposes are independent under the same ``seed``."""
    return torch.Generator().manual_seed(derived_seed(seed, purpose))


def derived_seed(seed: int, purpose: str) -> int:
    """A 63-bit seed from ``seed`` and a purpose, the same on every machine."""
    digest = hashlib.sha256(f"{purpose}/{seed}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
