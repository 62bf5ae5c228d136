"""Which task is what: its encoding, its scoring, the outputs of its head."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from harness.learning.data.encode import Encoded, read_shard, write_shard
from harness.learning.data.examples import Example
from harness.learning.data.tokenizer import TextTokenizer, tokenizer_identity
from harness.learning.tasks import question_answering, text_classification, token_classification
from harness.learning.tasks.scoring import Scorer
from harness.profiles import TaskName, TrainProfile

ENDS = 2
"""Outputs of a question's head for each token: is it the first of the answer, is it the last."""


def outputs_of(task: TaskName, label_names: Sequence[str]) -> int:
    """How many outputs the task's head has."""
    return ENDS if task == "question-answering" else len(label_names)


def encode(
    task: TaskName,
    examples: Sequence[Example],
    label_names: Sequence[str],
    folder: Path,
    train: TrainProfile,
    *,
    for_scoring: bool,
    cache: Path,
) -> Encoded:
    """Encode samples with the tokenizer of a model ``folder``, or read what an earlier call left in ``cache``.

    Samples that are scored are read whole: what does not fit into one row is in further ones. Texts to classify are
    the exception, they are cut at ``train.max_length``, as are tagged sentences that are learned.

    Raises:
        UsageError: the folder has no tokenizer that can be read, or its model has fewer positions than are asked for.
    """
    settings = [task, train.max_length, train.stride, train.question_length, for_scoring]
    digest = hashlib.sha256(msgspec.json.encode([settings, label_names, examples]))
    digest.update(tokenizer_identity(folder).encode())
    kept = cache / f"encoded-{digest.hexdigest()[:32]}.safetensors"
    if kept.is_file():
        return read_shard(kept)
    tokenizer = TextTokenizer(folder, train.max_length, words=task == "token-classification")
    encoded = _encoded(task, examples, label_names, tokenizer, train, for_scoring)
    tokenizer.check_knows(encoded.input_ids, some_text=any(_has_text(example) for example in examples))
    cache.mkdir(parents=True, exist_ok=True)
    write_shard(encoded, kept)
    return encoded


def _encoded(
    task: TaskName,
    examples: Sequence[Any],
    label_names: Sequence[str],
    tokenizer: TextTokenizer,
    train: TrainProfile,
    for_scoring: bool,
) -> Encoded:
    if task == "token-classification":
        return token_classification.encode(examples, label_names, tokenizer, for_scoring)
    if task == "question-answering":
        return question_answering.encode(examples, tokenizer, train.question_length, train.stride)
    return text_classification.encode(examples, label_names, tokenizer)


def _has_text(example: Example) -> bool:
    """Whether a sample has more than white space in it."""
    values = msgspec.structs.astuple(example)
    return any(part.strip() for value in values[:3] for part in ([value] if isinstance(value, str) else value or ()))


def scoring(
    task: TaskName, examples: Sequence[Any], label_names: Sequence[str], answer_length: int
) -> Callable[[Encoded], Scorer]:
    """Makes the scorer of these samples, for each evaluation a fresh one, from their encoded form."""
    if task == "token-classification":
        return lambda encoded: token_classification.TagScorer(examples, encoded, label_names)
    if task == "question-answering":
        return lambda encoded: question_answering.AnswerScorer(examples, encoded, answer_length)
    return text_classification.TextScorer
