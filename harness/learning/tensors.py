"""States as safetensors files: name -> float32 tensor."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from harness.blobs import blob_of
from harness.errors import BlobError
from harness.learning.slices import SlicedState
from harness.learning.writing import safetensors_written


def read_state(path: Path) -> dict[str, Tensor]:
    """All tensors of a safetensors file, sorted by name.

    Raises:
        BlobError: the file is missing or is not safetensors.
    """
    try:
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise BlobError(f"{path} is not a readable safetensors file ({error}); fetch or write it again") from None
    return dict(sorted(tensors.items()))


class _Tensors(Mapping[str, Tensor]):
    """The tensors of an open state, each read when it is asked for."""

    def __init__(self, state: SlicedState) -> None:
        self._state = state

    def __getitem__(self, name: str) -> Tensor:
        shape = self._state.shapes[name]
        return torch.from_numpy(self._state.values(name, 0, math.prod(shape))).reshape(shape)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._state.shapes))

    def __len__(self) -> int:
        return len(self._state.shapes)


@contextmanager
def opened_state(path: Path) -> Iterator[Mapping[str, Tensor]]:
    """The tensors of a safetensors file of float32, sorted by name; memory holds those that are kept.

    Raises:
        BlobError: the file is missing or is not safetensors, or a tensor is not of float32.
    """
    with SlicedState(path) as state:
        yield _Tensors(state)


def save_state(path: Path, state: Mapping[str, Tensor]) -> None:
    """Write a state as contiguous float32 processor tensors in a fixed order: equal states give equal bytes."""
    plain = {name: state[name].detach().to("cpu", torch.float32).contiguous() for name in sorted(state)}
    with safetensors_written(path) as temporary:
        save_file(plain, temporary)


def write_state(path: Path, state: Mapping[str, Tensor]) -> str:
    """:func:`save_state`, and the file's SHA-256, hex."""
    save_state(path, state)
    return blob_of(path).sha256
