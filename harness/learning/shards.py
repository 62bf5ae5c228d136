"""Shards as the model reads them: checked rows, and batches of them as tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from torch import Tensor

from harness.errors import BlobError, TrainerError
from harness.learning.data.encode import UNLABELLED, Encoded, read_shard
from harness.profiles import TaskName

_TARGETS: dict[TaskName, str] = {
    "text-classification": "labels",
    "token-classification": "tags",
    "question-answering": "spans",
}


@dataclass(frozen=True)
class Batch:
    """Rows padded to one length, int64: ``input_ids``, ``attention_mask``, ``token_types`` [b, longest].

    ``token_types`` is None where all are zero. ``targets``: classes [b], tags [b, longest], or spans [b, 2].
    """

    input_ids: Tensor
    attention_mask: Tensor
    token_types: Tensor | None
    targets: Tensor


def read_rows(path: Path, task: TaskName, *, labels: int, vocabulary: int) -> Encoded:
    """Read a shard that a model of this task, of so many labels and tokens, can learn from.

    Raises:
        BlobError: the file is not a shard, or its tensors do not fit together.
        TrainerError: the shard is empty or for another task, or has a label or token beyond the model's.
    """
    try:
        shard = read_shard(path)
    except (OSError, TypeError, SafetensorError) as error:
        raise BlobError(f"{path} is not a shard ({error}); prepare the data again") from None
    if len(shard) == 0:
        raise TrainerError(f"{path} holds no samples; give every client at least one, with fewer clients or more data")
    if getattr(shard, _TARGETS[task]) is None:
        raise TrainerError(f"{path} has no {_TARGETS[task]}, so it is not for {task}; prepare the data again")
    if not _fits_together(shard):
        raise BlobError(f"{path} is not a shard: its tensors do not fit together; prepare the data again")
    if shard.labels is not None:
        _check_range(path, "label", shard.labels, labels)
    if shard.tags is not None:
        _check_range(path, "tag", shard.tags[shard.tags != UNLABELLED], labels)
    _check_range(path, "token", shard.input_ids, vocabulary)
    return shard


def _fits_together(shard: Encoded) -> bool:
    lengths, rows, tokens = np.diff(shard.offsets), len(shard), len(shard.input_ids)
    by_row = (shard.labels, shard.spans, shard.samples)
    by_token = (shard.tags, shard.types, shard.places)
    return (
        shard.offsets[0] == 0
        and shard.offsets[-1] == tokens
        and bool((lengths > 0).all())
        and all(part is None or len(part) == rows for part in by_row)
        and all(part is None or len(part) == tokens for part in by_token)
        and (shard.spans is None or bool(((shard.spans >= 0) & (shard.spans < lengths[:, None])).all()))
    )


def _check_range(path: Path, kind: str, values: NDArray[Any], count: int) -> None:
    wrong = values[(values < 0) | (values >= count)]
    if len(wrong):
        raise TrainerError(f"{path} has {kind} {wrong[0]}, the model knows 0 to {count - 1}; prepare the data again")


def collate(shard: Encoded, rows: Sequence[int], pad_id: int, length: int | None = None) -> Batch:
    """A batch of rows, padded to the longest of them, or to ``length`` tokens."""
    places = [shard.row(row) for row in rows]
    longest = length or max(place.stop - place.start for place in places)
    input_ids = np.full((len(rows), longest), pad_id, dtype=np.int64)
    attention_mask = np.zeros_like(input_ids)
    types = None if shard.types is None else np.zeros_like(input_ids)
    tags = None if shard.tags is None else np.full_like(input_ids, UNLABELLED)
    for row, place in enumerate(places):
        tokens = slice(place.stop - place.start)
        input_ids[row, tokens] = shard.input_ids[place]
        attention_mask[row, tokens] = 1
        if types is not None and shard.types is not None:
            types[row, tokens] = shard.types[place]
        if tags is not None and shard.tags is not None:
            tags[row, tokens] = shard.tags[place]
    by_row = shard.labels if shard.labels is not None else shard.spans
    targets = tags if by_row is None else by_row[np.asarray(rows)].astype(np.int64)
    assert targets is not None  # one of the three is there: read_rows checks it
    return Batch(
        torch.from_numpy(input_ids),
        torch.from_numpy(attention_mask),
        None if types is None else torch.from_numpy(types),
        torch.from_numpy(targets),
    )
