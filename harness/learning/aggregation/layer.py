"""One adapted layer in a round: what its clients learned, and what a rule makes of it. Pure; numpy in float64.

h = W x + s B A x with W [d, k], B [d, r], A [r, k]. A *rule* reduces one layer; everything around it (files, the head,
the errors, what travels) is the same for all rules.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class LayerUpdates:
    """A layer's updates, in client order.

    ``weights``: w_k, sum 1. ``b`` [d, r_k] and ``a`` [r_k, k]: the clients' factors; where a round trains one of the
    two the other is the common one, as given. ``b_before``, ``a_before``: what they were given (where factors begin
    anew in each round, what they began with). ``b_init``, ``a_init``: B0 and A0. ``norms``: of each client
    ||B_k A_k||_F over all layers. ``feedback`` [d, k]: what an earlier round left over. ``round`` counts from 1.
    """

    round: int
    scale: float
    weights: tuple[float, ...]
    b: tuple[Array, ...]
    a: tuple[Array, ...]
    b_before: Array
    a_before: Array
    b_init: Array
    a_init: Array
    norms: tuple[float, ...] = ()
    feedback: Array | None = None


@dataclass(frozen=True)
class LayerResult:
    """A layer after a round.

    ``b``, ``a``: the new global factors (None of both: they begin anew). ``stack``: (B [d, n], A [n, k]) whose product
    is to be added to the frozen weight of all, in units of W (the scale is in it); None: nothing is. ``feedback``: kept
    by the server for the next round.
    """

    b: Array | None
    a: Array | None
    stack: tuple[Array, Array] | None = None
    feedback: Array | None = field(default=None)


class Rule(Protocol):
    """Reduces one layer. A pure function."""

    def __call__(self, layer: LayerUpdates) -> LayerResult:
        """The layer after the round."""
