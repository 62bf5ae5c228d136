"""How far the global factors A and B of LoRA move in a round (FeDeRA, eq. 19-22); free of torch.

Columns are those of A [r, k] and B [d, r] as they stand in W + s B A: k columns of A, r columns of B.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from harness.errors import BlobError
from harness.learning.forms import of_kinds
from harness.records import Drift

Array = NDArray[np.float64]

_FACTOR = re.compile(r"(?P<layer>.+)\.lora_(?P<factor>[AB])\.weight")


def drift(before: Path, after: Path) -> Drift | None:
    """Magnitude and direction variation of each global factor between the state files of consecutive rounds.

    Keys are short names of the factors, such as ``layer.0.query.A``, in the order of the layers. The magnitude
    variation is the mean over columns of the absolute difference of their norms (eq. 19, 20), the direction variation
    the mean of 1 - cosine (eq. 21, 22), over columns that are not zero in either state; None where there is no such
    column, as for FedLR's B, which starts at zero. Computed in float64. None where one of the states has no such
    factors: of other methods, and where they begin (SLoRA) or begin anew (FLoRA).

    Raises:
        BlobError: a file is not safetensors, or the two have different factors.
    """
    with _mapped(before) as old, _mapped(after) as new:
        names, earlier = short_names(new.keys()), short_names(old.keys())
        if not names or not earlier:
            return None
        if names.keys() != earlier.keys():
            raise BlobError(f"{before} and {after} have different factors A and B; give two states of one run")
        return {short: _moved(name, old, new) for name, short in names.items()}


def short_names(tensors: list[str]) -> dict[str, str]:
    """Short names of those tensors that are factors, by full name, in the order of their layers.

    Of ``bert.encoder.layer.0.attention.self.query.lora_A.weight`` the numbered parts and the last remain:
    ``layer.0.query.A``. Where that is not enough to tell all factors apart, the whole path remains.
    """
    factors = of_kinds(tensors, frozenset({"A", "B"}))
    matches = {name: match for name in factors if (match := _FACTOR.fullmatch(name))}
    short = {name: f"{_numbered(match['layer'])}.{match['factor']}" for name, match in matches.items()}
    if len(set(short.values())) < len(short):
        short = {name: f"{match['layer']}.{match['factor']}" for name, match in matches.items()}
    return dict(sorted(short.items(), key=lambda pair: _by_number(pair[1])))


def variation(before: Array, after: Array) -> tuple[float, float | None]:
    """Mean |difference of norms| and mean (1 - cosine) of the columns of two matrices of equal shape.

    1 - cosine is taken as half the squared distance of the two unit vectors, which it equals: it keeps its digits
    where directions are close, and equal columns give 0.
    """
    norms = np.linalg.norm(before, axis=0), np.linalg.norm(after, axis=0)
    magnitude = float(np.abs(norms[1] - norms[0]).mean())
    directed = (norms[0] > 0) & (norms[1] > 0)
    if not directed.any():
        return magnitude, None
    apart = after[:, directed] / norms[1][directed] - before[:, directed] / norms[0][directed]
    return magnitude, float((apart**2).sum(axis=0).mean() / 2)


def _moved(name: str, old: Any, new: Any) -> tuple[float, float | None]:
    pair = [file.get_tensor(name).astype(np.float64) for file in (old, new)]
    if pair[0].shape != pair[1].shape:
        shapes = " and ".join(str(list(matrix.shape)) for matrix in pair)
        raise BlobError(f"{name} is {shapes} in consecutive states; give two states of one run")
    return variation(*pair)


def _numbered(path: str) -> str:
    """The numbered parts of a path, with what they number, and its last part."""
    parts = path.split(".")
    kept = {at for number, part in enumerate(parts) if part.isdigit() for at in (number - 1, number)}
    return ".".join(part for at, part in enumerate(parts) if at in kept or at == len(parts) - 1)


def _by_number(name: str) -> list[tuple[int, str]]:
    """A key that sorts numbers in a name as numbers: layer 10 after layer 9."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in name.split(".")]


@contextmanager
def _mapped(path: Path) -> Iterator[Any]:
    try:
        file = safe_open(path, framework="np")
    except (OSError, SafetensorError) as error:
        raise BlobError(f"{path} is not a readable safetensors file ({error}); run the round again") from None
    with file:
        yield file
