"""SLoRA's first stage: which weights of a layer are trained, drawn once and the same for all (arXiv 2308.06522).

Only the values travel; server and clients draw the mask each for themselves.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.learning.seeding import derived_seed


def mask(seed: int, layer: str, shape: tuple[int, int], density: float) -> NDArray[np.int64]:
    """The flat indices of a layer's trained weights, rising: ``density`` of all d x k of them, one at least.

    Drawn without replacement from (seed, layer) alone, so each machine draws the same.
    """
    size = shape[0] * shape[1]
    chance = np.random.Generator(np.random.PCG64(derived_seed(f"slora-mask/{seed}/{layer}")))
    return np.sort(chance.permutation(size)[: trained_count(shape, density)])


def trained_count(shape: tuple[int, int], density: float) -> int:
    """How many weights of a layer [d, k] the mask has."""
    return max(1, round(density * shape[0] * shape[1]))
