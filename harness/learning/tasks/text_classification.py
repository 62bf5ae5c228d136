"""Text classification: texts as the model's tokenizer reads them, cut at a length."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from harness.errors import UsageError
from harness.learning.data.encode import Encoded, joined, read_shard, write_shard
from harness.learning.data.model_source import TOKENIZER_PATTERNS
from harness.learning.data.sources import Split

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_BATCH = 500


def encode(split: Split, model: Path, max_length: int, cache: Path) -> Encoded:
    """Encode texts with the tokenizer of a model folder, or read what an earlier call left in the ``cache`` folder.

    A text of more than ``max_length`` tokens, special tokens included, is cut; an empty text becomes special tokens.

    Raises:
        UsageError: the folder has no tokenizer that can be read, or its model has fewer positions.
    """
    kept = cache / f"encoded-{_identity(split, model, max_length)[:32]}.safetensors"
    if kept.is_file():
        return read_shard(kept)
    tokenizer = _tokenizer(model)
    if max_length > tokenizer.model_max_length:
        raise UsageError(
            f"train.max_length is {max_length}, but the model in {model} reads at most "
            f"{tokenizer.model_max_length} tokens: give at most that"
        )
    encoded = joined(_token_ids(tokenizer, split.texts, max_length), split.labels)
    if any(text.strip() for text in split.texts) and np.isin(encoded.input_ids, tokenizer.all_special_ids).all():
        # Of a folder without a vocabulary transformers makes a tokenizer that knows special tokens alone.
        raise _no_tokenizer(model, "it knows none of the words")
    cache.mkdir(parents=True, exist_ok=True)
    write_shard(encoded, kept)
    return encoded


def _tokenizer(model: Path) -> PreTrainedTokenizerBase:
    """The tokenizer of a model folder."""
    from transformers import AutoTokenizer

    try:
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(str(model), local_files_only=True)
    except (OSError, ValueError, KeyError, ImportError) as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise _no_tokenizer(model, reason[0]) from error
    return tokenizer


def _no_tokenizer(model: Path, reason: str) -> UsageError:
    return UsageError(
        f"model folder {model} has no tokenizer that can be read ({reason}): "
        "put tokenizer.json and tokenizer_config.json beside its config.json"
    )


def _token_ids(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], max_length: int) -> Iterator[list[int]]:
    """Token ids of each text, special tokens included."""
    for start in range(0, len(texts), _BATCH):
        batch = texts[start : start + _BATCH]
        yield from tokenizer(batch, truncation=True, max_length=max_length)["input_ids"]


def _identity(split: Split, model: Path, max_length: int) -> str:
    """SHA-256, hex, of all that the encoding depends on."""
    digest = hashlib.sha256(msgspec.json.encode([max_length, split.texts, split.labels]))
    for path in sorted({path for pattern in ("config.json", *TOKENIZER_PATTERNS) for path in model.glob(pattern)}):
        if path.is_file():
            digest.update(f"{path.name}:{hashlib.sha256(path.read_bytes()).hexdigest()};".encode())
    return digest.hexdigest()
