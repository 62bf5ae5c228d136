"""What every task's scoring looks like: outputs of the model in, metrics out; free of torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Outputs = NDArray[np.float32]


class Scorer(Protocol):
    """Collects the model's outputs on all rows of an :class:`~harness.learning.data.encode.Encoded`, in any order."""

    def add(self, rows: Sequence[int], outputs: Outputs) -> None:
        """Outputs of some rows: scores of classes [b, labels], of tags [b, longest, labels], or of first and last
        token of the answer [b, longest, 2]. Beyond a row's length they are padding.
        """

    def metrics(self) -> dict[str, float]:
        """Metrics over all samples, shares of 1; each row must have been added once."""
