"""The weighted mean of updates (FedAvg; FeDeRA, eq. 4); free of torch."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from harness.blobs import blob_of
from harness.errors import BlobError, TrainerError
from harness.learning.writing import safetensors_written

Array = NDArray[np.float32]


def weighted_mean(updates: Sequence[tuple[Path, int]], out: Path) -> str:
    """Write sum n_k theta_k / sum n_k over ``updates``, pairs of file and n_k; answers with the SHA-256 of ``out``.

    The files are mapped and summed in float64, tensor by tensor, in the order given: memory holds one state however
    many clients there are, and equal orders give equal bits.

    Raises:
        BlobError: a file is not safetensors, or its names or shapes are not those of the first.
        TrainerError: an update has a value that is not finite, or no samples.
    """
    if not updates:
        raise TrainerError("there are no updates to average; a round needs at least one")
    for path, samples in updates:
        if samples < 1:
            raise TrainerError(f"{path} reports {samples} samples; an update needs at least one")
    with ExitStack() as stack:
        files = [(path, stack.enter_context(_mapped(path)), samples) for path, samples in updates]
        names = _common_names([(path, file) for path, file, _ in files])
        mean = {name: _mean_of(name, files) for name in names}
    with safetensors_written(out) as temporary:
        save_file(mean, temporary)
    return blob_of(out).sha256


def _mapped(path: Path) -> Any:
    try:
        return safe_open(path, framework="np")
    except (OSError, SafetensorError) as error:
        raise BlobError(f"{path} is not a readable safetensors file ({error}); send the update again") from None


def _common_names(files: list[tuple[Path, Any]]) -> list[str]:
    """Names that all files have, sorted.

    Raises:
        BlobError: they differ.
    """
    first_path, first = files[0]
    expected = set(first.keys())
    for path, file in files[1:]:
        if different := expected ^ set(file.keys()):
            name = min(different)
            fault = "lacks" if name in expected else "has the unknown"
            raise BlobError(f"{path} {fault} tensor {name}, other than {first_path}; updates of one run have the same")
    return sorted(expected)


def _mean_of(name: str, files: list[tuple[Path, Any, int]]) -> Array:
    """The mean of one tensor; n_k is applied before the division, so that equal updates give themselves exactly."""
    first_path, first, first_samples = files[0]
    total = np.multiply(_checked(name, first_path, first.get_tensor(name)), first_samples, dtype=np.float64)
    for path, file, samples in files[1:]:
        tensor = _checked(name, path, file.get_tensor(name))
        if tensor.shape != total.shape:
            shapes = f"{list(tensor.shape)} instead of {list(total.shape)}"
            raise BlobError(f"tensor {name} of {path} is {shapes}; updates of one run have the same shapes")
        total += np.multiply(tensor, samples, dtype=np.float64)
    total /= sum(samples for _, _, samples in files)
    return total.astype(np.float32)


def _checked(name: str, path: Path, tensor: Array) -> Array:
    if not np.isfinite(tensor).all():
        raise TrainerError(f"tensor {name} of {path} has values that are not finite; lower the learning rate")
    return tensor
