"""Tensors in safetensors files: states (name -> float32 tensor) and shards (encoded texts with their labels)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from harness.blobs import blob_of
from harness.errors import BlobError, TrainerError
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


@dataclass(frozen=True)
class Shard:
    """Encoded texts of one client, or of the test split.

    Text i is ``input_ids[offsets[i] : offsets[i + 1]]``, special tokens included, no padding. Shapes: input_ids
    [tokens] int32, offsets [n + 1] int64, labels [n] int64. Token types are not kept: they are all zero.
    """

    input_ids: Tensor
    offsets: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def lengths(self) -> Tensor:
        """Tokens of each text, [n] int64."""
        return self.offsets.diff()

    def text(self, index: int) -> Tensor:
        """Token ids of one text, [length] int32."""
        return self.input_ids[int(self.offsets[index]) : int(self.offsets[index + 1])]


def read_shard(path: Path) -> Shard:
    """Read a shard.

    Raises:
        BlobError: the file is not a shard: a tensor is missing, or offsets, tokens and labels do not fit together.
    """
    tensors = read_state(path)
    missing = {"input_ids", "offsets", "labels"} - tensors.keys()
    if missing:
        raise BlobError(f"{path} is not a shard: it has no {', '.join(sorted(missing))}; prepare the data again")
    shard = Shard(tensors["input_ids"], tensors["offsets"], tensors["labels"])
    ends_fit = len(shard.offsets) == len(shard) + 1 and int(shard.offsets[-1]) == len(shard.input_ids)
    if not ends_fit or int(shard.offsets[0]) != 0 or bool((shard.lengths < 1).any()):
        raise BlobError(
            f"{path} is not a shard: offsets, tokens and labels do not fit together; prepare the data again"
        )
    return shard


def check_shard(shard: Shard, path: Path, *, labels: int, vocabulary: int) -> None:
    """Check that a model of this many labels and tokens can read the shard.

    Raises:
        TrainerError: the shard is empty, or has a label or token beyond the model's.
    """
    if len(shard) == 0:
        raise TrainerError(f"{path} holds no samples; give every client at least one, with fewer clients or more data")
    for kind, values, count in (("label", shard.labels, labels), ("token", shard.input_ids, vocabulary)):
        least, largest = int(values.min()), int(values.max())
        if least < 0 or largest >= count:
            wrong = least if least < 0 else largest
            raise TrainerError(f"{path} has {kind} {wrong}, the model knows 0 to {count - 1}; prepare the data again")


def collate(shard: Shard, indices: Sequence[int], pad_id: int) -> tuple[Tensor, Tensor, Tensor]:
    """A batch, padded to its longest text: input_ids [b, longest], attention_mask [b, longest], labels [b], int64."""
    texts = [shard.text(index) for index in indices]
    input_ids = torch.full((len(texts), max(len(text) for text in texts)), pad_id, dtype=torch.int64)
    attention_mask = torch.zeros_like(input_ids)
    for row, text in enumerate(texts):
        input_ids[row, : len(text)] = text
        attention_mask[row, : len(text)] = 1
    return input_ids, attention_mask, shard.labels[torch.as_tensor(indices, dtype=torch.int64)]
