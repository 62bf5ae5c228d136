"""The checkpoint a run begins with, and what of it is shipped once: made by the server."""

from __future__ import annotations

import time
from pathlib import Path

from torch import Tensor
from transformers import PreTrainedModel

from harness.learning.forms import form_of, of_kinds, ships_first
from harness.learning.methods import adapter, lora, svd
from harness.learning.methods.base import InitialState, copies
from harness.learning.methods.registry import attach
from harness.learning.models import build_model, head_names, positions_of
from harness.learning.seeding import generator
from harness.learning.spec import PrepareSpec
from harness.profiles import initialisation_of


def initial_state(base: Path, spec: PrepareSpec, seed: int) -> InitialState:
    """Head, adapters and Gaussian factors from ``seed``; FeDeRA's factors from the SVD, which is timed.

    The head is the same for every method under the same seed, and so are Gaussian factors. The state has what clients
    are given in the first round, and what is shipped to them before.

    Raises:
        UsageError: ``base`` is not a usable model folder, or the settings do not fit the model.
    """
    model = build_model(base, spec.task, spec.labels, head_seed=seed)
    factors, svd_s = _factors(model, spec, seed)
    head = head_names(model)
    attached = attach(model, spec, factors)
    if spec.method == "fedap":
        added = {name: tensor for name, tensor in attached.trainable.items() if name not in head}
        adapter.draw(added, generator(seed, spec.method))
    shipped = ships_first(spec.method, spec.settings)
    kinds = form_of(spec.method, spec.settings, 1).given | shipped
    tensors = attached.trainable | factors
    state = copies(tensors, of_kinds(attached.trainable, kinds))
    first = {name: state[name] for name in of_kinds(state, shipped)}
    return InitialState(
        state=state,
        svd_s=svd_s,
        parameters=attached.parameters,
        positions=positions_of(model),
        first=state if spec.method == "federa" else first or None,
        layers=attached.adapted.layers if attached.adapted else {},
    )


def _factors(model: PreTrainedModel, spec: PrepareSpec, seed: int) -> tuple[dict[str, Tensor], float]:
    """A0 and B0 of a bare model, and the seconds that their SVD took."""
    start = initialisation_of(spec.method, spec.settings)
    if start is None:
        return {}, 0.0
    if start == "gaussian":
        return lora.gaussian_init(model, spec, seed), 0.0
    svd.warm_up()
    start_s = time.perf_counter()
    factors = lora.principal_init(model, spec)
    return factors, time.perf_counter() - start_s
