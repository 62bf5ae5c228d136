"""What a trainer was given last, and what a lean state makes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor

from harness.errors import TrainerError
from harness.learning.aggregation.exact import folded
from harness.learning.data.encode import Encoded
from harness.learning.forms import CHANGE, STACK, Form, form_of, kind_of
from harness.learning.methods.stages import stages_of
from harness.learning.spec import PrepareSpec
from harness.learning.tensors import opened_state

KEPT_BYTES = 32 * 1024 * 1024
"""The largest state file whose tensors stay in memory for the next client of a round."""
SHARD_BYTES = 1024 * 1024
"""The largest shard file that stays in memory for the next round, of LATEST_SHARDS."""
LATEST_SHARDS = 128
Stamp = tuple[int, int, int, int]


class LastState:
    """Opens state files; of a small one its tensors stay, until another is opened or the file is another one.

    All clients of a round are given one state: opening it and reading its header takes longer than copying it.
    """

    def __init__(self) -> None:
        self._stamp: Stamp | None = None
        self._tensors: dict[str, Tensor] = {}

    @contextmanager
    def opened(self, path: Path) -> Iterator[Mapping[str, Tensor]]:
        """The tensors of a file as :func:`harness.learning.tensors.opened_state` gives them; nobody changes them.

        Raises:
            BlobError: the file is missing or is not safetensors, or a tensor is not of float32.
        """
        stamp, size_bytes = stamp_of(path)
        if stamp is not None and stamp == self._stamp:
            yield self._tensors
            return
        self._stamp, self._tensors = None, {}
        with opened_state(path) as tensors:
            if size_bytes <= KEPT_BYTES:
                self._tensors = dict(tensors)
                self._stamp = stamp
            yield self._tensors or tensors


class LatestShards:
    """Reads shards with ``read``; small ones stay, the latest of them: a client comes again, and its file is the same.

    Nobody changes what was read.
    """

    def __init__(self, read: Callable[[Path], Encoded]) -> None:
        self._read = read
        self._kept: dict[Stamp, Encoded] = {}

    def read(self, path: Path) -> Encoded:
        """The shard in a file.

        Raises:
            BlobError: the file is not a shard.
            TrainerError: the shard is empty or does not fit the model.
        """
        stamp, size_bytes = stamp_of(path)
        shard = (self._kept.pop(stamp, None) if stamp else None) or self._read(path)
        if stamp is not None and size_bytes <= SHARD_BYTES:
            self._kept[stamp] = shard
            if len(self._kept) > LATEST_SHARDS:
                del self._kept[next(iter(self._kept))]
        return shard


def stamp_of(path: Path) -> tuple[Stamp | None, int]:
    """What tells a file from one that had, or will have, its name; and its size. None: it cannot be told."""
    try:
        found = path.stat()
    except OSError:
        return None, 0
    return (found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size), found.st_size


class Held:
    """The whole state that a trainer was last given, and that of the round before, where a method ever sends less.

    One trainer may train several clients of a round: what the second is given builds on the round before as well.
    """

    def __init__(self, spec: PrepareSpec) -> None:
        self._spec = spec
        self._keeps = any(form.change or form.lean is not None for form in stages_of(spec))
        self._held: dict[int, Mapping[str, Tensor]] = {}

    def whole(self, state: Mapping[str, Tensor], round: int) -> Mapping[str, Tensor]:
        """The whole state of ``round`` that ``state`` is or, together with the one held, stands for.

        What is held is let go of, but for the round before. :meth:`keep` goes on from there.

        Raises:
            TrainerError: ``state`` is lean, and the one of the round before is not held.
        """
        if not self._keeps:
            return state
        self._held = {before: whole for before, whole in self._held.items() if before == round - 1}
        told = dict(state)
        if round == 1 or not is_lean(told, form_of(self._spec.method, self._spec.settings, round)):
            return told
        if round - 1 not in self._held:
            raise TrainerError(
                f"the state of round {round} tells only what is new since round {round - 1}, whose state this trainer "
                "does not hold; send the whole state"
            )
        return merged(self._held[round - 1], told)

    def keep(self, whole: Mapping[str, Tensor], round: int) -> None:
        """Hold the whole state of ``round``, which was loaded."""
        if self._keeps:
            self._held = {**self._held, round: whole}


def is_lean(names: Mapping[str, object], form: Form) -> bool:
    """Whether a state of such names is less than what its round needs: it lacks a kind, or has changes in part."""
    return not form.given <= {kind_of(name) for name in names} or any(name.startswith(STACK) for name in names)


def merged(held: Mapping[str, Tensor], lean: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The whole state of a round, of the one of the round before and a lean one; neither is changed."""
    plain = {name: tensor for name, tensor in lean.items() if not name.startswith(STACK)}
    stacked = {name for name in lean if name.startswith(STACK)}
    layers = sorted({name.removeprefix(STACK).rpartition(".")[0] for name in stacked})
    changes = {CHANGE + layer: _grown(held.get(CHANGE + layer), lean, STACK + layer) for layer in layers}
    return {**held, **plain, **changes}


def _grown(change: Tensor | None, lean: Mapping[str, Tensor], stack: str) -> Tensor:
    before = None if change is None else change.numpy()
    return torch.from_numpy(folded(before, lean[f"{stack}.B"].numpy(), lean[f"{stack}.A"].numpy()))
