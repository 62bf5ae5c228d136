"""Every task is encoded and scored in its own way; what was encoded once is read again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from vocabularies import EMBEDDED_ENCODER

from harness.errors import UsageError
from harness.learning.data.encode import Encoded, write_shard
from harness.learning.data.examples import Example, QuestionExample, SentenceExample, TextExample
from harness.learning.tasks.registry import encode, outputs_of, scoring
from harness.profiles import METRICS, TaskName, TrainProfile

WORDS = ("ba", "da", "fa", "ga")
TEXT = " ".join(WORDS)
NAMES = ("O", "B-bird", "I-bird")
SAMPLES: dict[TaskName, list[Example]] = {
    "text-classification": [TextExample(TEXT, "O"), TextExample("", "B-bird")],
    "token-classification": [SentenceExample(WORDS, ("O", "B-bird", "I-bird", "O")), SentenceExample((), ())],
    "question-answering": [QuestionExample("1", TEXT, "ba da", ("fa",), ((6, 8),))],
}
TASKS = tuple(SAMPLES)


def encoded(task: TaskName, cache: Path, samples: Sequence[Example] | None = None, **train: Any) -> Encoded:
    wanted = SAMPLES[task] if samples is None else samples
    profile = TrainProfile(**{"max_length": 16, **train})
    return encode(task, wanted, NAMES, EMBEDDED_ENCODER, profile, for_scoring=True, cache=cache)


@pytest.mark.parametrize("task", TASKS)
def test_outputs_of_the_right_answers_give_full_marks(task: TaskName, tmp_path: Path) -> None:
    rows = encoded(task, tmp_path)
    scorer = scoring(task, SAMPLES[task], NAMES, answer_length=5)(rows)
    for row in range(len(rows)):
        tokens = rows.row(row)
        width = outputs_of(task, NAMES)
        if rows.labels is not None:
            outputs = np.eye(width, dtype=np.float32)[rows.labels[row]]
        elif rows.tags is not None:
            outputs = np.eye(width, dtype=np.float32)[rows.tags[tokens].clip(min=0)]
        else:
            assert rows.spans is not None
            outputs = np.zeros((tokens.stop - tokens.start, width), dtype=np.float32)
            outputs[rows.spans[row], [0, 1]] = 1.0
        scorer.add([row], outputs[None])
    metrics = scorer.metrics()
    assert {*metrics, "loss"} == set(METRICS[task])
    assert set(metrics.values()) == {1.0}


@pytest.mark.parametrize("task", TASKS)
def test_what_was_encoded_is_read_again_and_only_that(task: TaskName, tmp_path: Path) -> None:
    first = encoded(task, tmp_path)
    (kept,) = tmp_path.iterdir()
    assert encoded(task, tmp_path).input_ids.tolist() == first.input_ids.tolist()
    write_shard(first.pick([0]), kept)
    assert len(encoded(task, tmp_path)) == len(first.pick([0]))  # what lies in the cache is believed
    encoded(task, tmp_path, max_length=12)
    encoded(task, tmp_path, samples=SAMPLES[task][:1] * 3)
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("task", TASKS)
def test_a_vocabulary_of_special_tokens_is_no_tokenizer(task: TaskName, tmp_path: Path) -> None:
    """Of a folder without a vocabulary transformers makes one."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(UsageError, match=r"has no tokenizer that can be read .*: put tokenizer\.json"):
        encode(
            task,
            SAMPLES[task],
            NAMES,
            tmp_path / "model",
            TrainProfile(max_length=16),
            for_scoring=False,
            cache=tmp_path,
        )


def test_the_head_has_an_output_for_each_label_and_two_for_the_ends_of_an_answer() -> None:
    assert [outputs_of(task, NAMES) for task in TASKS] == [3, 3, 2]
