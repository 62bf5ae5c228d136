"""The best answer span of a window, exactly; pure."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from harness.learning.tasks.scoring import Outputs


class Span(NamedTuple):
    """Tokens ``first`` to ``last``, both in it, and the sum of their scores."""

    score: float
    first: int
    last: int


def best_span(start: Outputs, end: Outputs, allowed: NDArray[np.bool_], answer_length: int) -> Span | None:
    """The span of at most ``answer_length`` tokens that maximises start[first] + end[last] (Devlin et al. 2019, 4.2).

    ``start``, ``end`` and ``allowed`` are [tokens]; a span begins and ends on an allowed token. Every pair is looked
    at. Of equal sums the smallest ``first`` wins, then the smallest ``last``. None: no pair is valid, where a sum that
    is not a number, or minus infinity, is not.
    """
    tokens = len(start)
    width = min(answer_length, tokens)
    if width == 0:
        return None
    padded = np.zeros(width - 1)
    ends = sliding_window_view(np.concatenate([end.astype(np.float64), padded]), width)
    valid = sliding_window_view(np.concatenate([allowed, padded.astype(bool)]), width) & allowed[:, None]
    with np.errstate(invalid="ignore"):  # infinities of a model that diverged
        sums = start.astype(np.float64)[:, None] + ends  # [tokens, width]: of first, and last - first
    sums[~valid | np.isnan(sums)] = -np.inf
    first, beyond = divmod(int(sums.argmax()), width)
    best = float(sums[first, beyond])
    return None if best == -np.inf else Span(best, first, first + beyond)
