"""The state a run begins with: made once, by the server."""

from __future__ import annotations

import time
from pathlib import Path

from harness.learning.methods import adapter, lora, svd
from harness.learning.methods.base import InitialState
from harness.learning.methods.registry import attach
from harness.learning.models import build_model, head_names, positions_of
from harness.learning.seeding import generator
from harness.learning.spec import PrepareSpec


def initial_state(base: Path, spec: PrepareSpec, seed: int) -> InitialState:
    """Head and adapters from ``seed``; FeDeRA's factors from the SVD, which is timed.

    The head is the same for every method under the same seed.

    Raises:
        UsageError: ``base`` is not a usable model folder, or the settings do not fit the model.
    """
    model = build_model(base, spec.task, spec.labels, head_seed=seed)
    init, svd_s = None, 0.0
    if spec.method == "federa":
        svd.warm_up()
        start_s = time.perf_counter()
        init = lora.principal_init(model, spec)
        svd_s = time.perf_counter() - start_s
    head = head_names(model)
    attached = attach(model, spec, init)
    added = {name: tensor for name, tensor in attached.trainable.items() if name not in head}
    source = generator(seed, spec.method)
    if spec.method == "fedap":
        adapter.draw(added, source)
    elif spec.method == "fedlr":
        lora.draw(added, source)
    return InitialState(attached.state(), svd_s, attached.parameters, positions_of(model))
