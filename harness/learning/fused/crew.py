"""What the layers of a model look up while several clients are trained: their tensors, their rows, their chance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from harness.errors import TrainerError
from harness.learning.fused.chance import Chance
from harness.learning.fused.joint import Joint, Part

# Dimensions that count tokens, by how many dimensions a tensor that is dropped out of has: pooled [b, d], hidden
# [b, tokens, d], attention [b, heads, tokens, tokens].
_TOKENS: dict[int, tuple[int, ...]] = {2: (), 3: (1,), 4: (2, 3)}


class Crew:
    """Those who train together, as the layers see them; what is told of them holds for one pass through the model.

    ``tensors``: those of every client, [clients, ...], by the names of a state. ``chances`` are the clients' own.
    """

    def __init__(self) -> None:
        self.tensors: Mapping[str, Tensor] = {}
        self.chances: Sequence[Chance] = ()
        self.joint = Joint((), 0)
        self._cast: dict[str, Tensor] = {}

    def begin(self, joint: Joint) -> None:
        """Begin a pass: the batch, which is there until its gradients are taken, is ``joint``."""
        self.joint = joint
        self._cast = {}

    def own(self, name: str) -> Tensor:
        """The tensor ``name`` of each client that has a part in the batch, [parts, ...]."""
        whole, places = self._whole(name), self.joint.places
        if len(places) == len(whole):
            return whole
        if len(places) == 1:
            return whole.narrow(0, places[0], 1)
        return whole.index_select(0, torch.tensor(places, device=whole.device))

    def _whole(self, name: str) -> Tensor:
        """Those of all clients. Under autocast they are cast once in a pass, as alone: what a layer that is used twice
        learns is then added up in the lower precision there too.
        """
        tensor = self.tensors[name]
        kind = tensor.device.type
        if not torch.is_autocast_enabled(kind):
            return tensor
        if name not in self._cast:
            self._cast[name] = tensor.to(torch.get_autocast_dtype(kind))
        return self._cast[name]

    def dropped(self, x: Tensor, p: float) -> Tensor:
        """``x`` [b, ...] after dropout, each client's part as it would be alone.

        Raises:
            TrainerError: ``x`` does not have the rows and tokens of the batch.
        """
        joint, tokens = self.joint, _TOKENS.get(x.dim())
        if p == 0:
            return x
        if tokens is None or len(x) != joint.rows or any(x.shape[dimension] != joint.length for dimension in tokens):
            raise TrainerError(
                f"the encoder drops out of values of shape {list(x.shape)}, which are not its {joint.rows} rows; "
                "set simulation.fused_clients to 1"
            )
        masks = [self.chances[part.place].mask(part.of(x, tokens), p) for part in joint.parts]
        if joint.level or not tokens:
            return x * torch.cat(masks)
        whole = torch.zeros_like(x)
        for part, mask in zip(joint.parts, masks, strict=True):
            part.of(whole, tokens).copy_(mask)
        return x * whole

    @contextmanager
    def alone(self, part: Part) -> Iterator[Chance]:
        """In the block layers have this client's tensors, for an input that has one row; gives the client's chance."""
        before, self.joint = self.joint, Joint((Part(part.place, 0, 1, part.length),), part.length)
        try:
            yield self.chances[part.place]
        finally:
            self.joint = before
