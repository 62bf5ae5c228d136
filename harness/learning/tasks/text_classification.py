"""Text classification: texts as the model's tokenizer reads them, cut at a length."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from harness.errors import UsageError
from harness.learning.data.encode import Encoded, joined, read_shard, write_shard
from harness.learning.data.sources import Split

_BATCH = 500
_TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "spm.model",
)


def encode(split: Split, model: Path, max_length: int, cache: Path) -> Encoded:
    """Encode texts with the tokenizer of a model folder, or read what an earlier call left in the ``cache`` folder.

    A text of more than ``max_length`` tokens, special tokens included, is cut; an empty text becomes special tokens.

    Raises:
        UsageError: the folder has no tokenizer that can be read, or its model has fewer positions.
    """
    kept = cache / f"encoded-{_identity(split, model, max_length)[:32]}.safetensors"
    if kept.is_file():
        return read_shard(kept)
    encoded = joined(_token_ids(split.texts, model, max_length), split.labels)
    cache.mkdir(parents=True, exist_ok=True)
    write_shard(encoded, kept)
    return encoded


def _token_ids(texts: list[str], model: Path, max_length: int) -> Iterator[list[int]]:
    """Token ids of each text, special tokens included."""
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(str(model), local_files_only=True)
    except (OSError, ValueError, KeyError, ImportError) as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise UsageError(
            f"model folder {model} has no tokenizer that can be read ({reason[0]}): "
            "put tokenizer.json and tokenizer_config.json beside its config.json"
        ) from error
    if max_length > tokenizer.model_max_length:
        raise UsageError(
            f"train.max_length is {max_length}, but the model in {model} reads at most "
            f"{tokenizer.model_max_length} tokens: give at most that"
        )
    for start in range(0, len(texts), _BATCH):
        batch = texts[start : start + _BATCH]
        yield from tokenizer(batch, truncation=True, max_length=max_length)["input_ids"]


def _identity(split: Split, model: Path, max_length: int) -> str:
    """SHA-256, hex, of all that the encoding depends on."""
    digest = hashlib.sha256(msgspec.json.encode([max_length, split.texts, split.labels]))
    for path in (model / name for name in _TOKENIZER_FILES):
        if path.is_file():
            digest.update(f"{path.name}:{hashlib.sha256(path.read_bytes()).hexdigest()};".encode())
    return digest.hexdigest()
