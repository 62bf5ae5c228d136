"""States as safetensors files: name -> float32 tensor."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from harness.blobs import blob_of
from harness.durable import written_whole
from harness.errors import BlobError
from harness.learning.slices import Shape, SlicedState, header_of

BUFFERED_BYTES = 256 * 1024
"""Of tensors that are smaller than a write should be."""


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
    """Write a state as contiguous float32 processor tensors in a fixed order: equal states give equal bytes.

    They are those of ``safetensors.torch.save_file``, which takes longer to look at small tensors than to write them.

    Raises:
        OSError: it could not be written; nothing appears.
    """
    names = sorted(state)
    plain = [state[name].detach().to("cpu", torch.float32).contiguous().numpy() for name in names]
    header = _header_of(tuple((name, array.shape) for name, array in zip(names, plain, strict=True)))
    try:
        with written_whole(path) as partial, partial.open("wb", buffering=BUFFERED_BYTES) as file:
            file.write(header)
            file.writelines(array.reshape(-1).view(np.uint8).data for array in plain)
    except OSError as error:
        raise OSError(error.errno, os.strerror(error.errno or 0), str(path)) from error  # a write says no name


@lru_cache(maxsize=4)
def _header_of(shapes: tuple[tuple[str, Shape], ...]) -> bytes:
    """All updates of a run begin alike."""
    return header_of(dict(shapes))


def write_state(path: Path, state: Mapping[str, Tensor]) -> str:
    """:func:`save_state`, and the file's SHA-256, hex."""
    save_state(path, state)
    return blob_of(path).sha256
