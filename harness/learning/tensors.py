"""States as safetensors files: name -> float32 tensor."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from harness.blobs import blob_of
from harness.errors import BlobError
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


def save_state(path: Path, state: Mapping[str, Tensor]) -> None:
    """Write a state as contiguous float32 processor tensors in a fixed order: equal states give equal bytes."""
    plain = {name: state[name].detach().to("cpu", torch.float32).contiguous() for name in sorted(state)}
    with safetensors_written(path) as temporary:
        save_file(plain, temporary)


def write_state(path: Path, state: Mapping[str, Tensor]) -> str:
    """:func:`save_state`, and the file's SHA-256, hex."""
    save_state(path, state)
    return blob_of(path).sha256
