"""Texts become points of length 1: the mean of what a pretrained encoder makes of their tokens."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from encoders import MINILM, write_encoder
from numpy.typing import NDArray

from harness.errors import UsageError
from harness.learning.data.embedding import embed
from harness.learning.data.model_source import Pretrained

TEXTS = ["What is a cat?", "Why?", "", "Which animal is called a cat and not a dog?", "When was the bridge built?"] * 20
needs_minilm = pytest.mark.skipif(not MINILM.is_dir(), reason="the shared models are not here")


def points_of(texts: list[str], folder: Path = MINILM) -> NDArray[np.float32]:
    told: list[str] = []
    return embed(texts, Pretrained(folder, folder), told.append)


@needs_minilm
def test_points_do_not_depend_on_what_else_is_in_their_batch() -> None:
    points = points_of(TEXTS)
    assert np.allclose(np.linalg.norm(points, axis=1), 1, atol=1e-6)
    alone = np.concatenate([points_of([text]) for text in TEXTS[:5]])
    assert np.allclose(points, np.tile(alone, (20, 1)), atol=1e-5)


@needs_minilm
def test_like_questions_are_near_each_other() -> None:
    cat, _, _, animal, bridge = points_of(TEXTS[:5])
    assert cat @ animal > 0.5 > cat @ bridge


@needs_minilm
def test_long_texts_are_cut() -> None:
    long, longer = points_of(["word " * 100, "word " * 100 + "and much more"])
    assert np.allclose(long, longer, atol=1e-6)


@needs_minilm
def test_how_far_it_is_is_told_in_steps() -> None:
    told: list[str] = []
    embed(TEXTS, Pretrained(MINILM, MINILM), told.append)
    assert len(told) == 2  # batches
    assert told[-1] == "embedding questions: 100 %"


def test_a_model_without_a_tokenizer_is_named(tmp_path: Path) -> None:
    folder = write_encoder(tmp_path)
    with pytest.raises(UsageError, match="has no tokenizer that can be read"):
        points_of(["Why?"], folder)


def test_weights_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    folder = write_encoder(tmp_path)
    (folder / "model.safetensors").write_bytes(b"torn")
    with pytest.raises(UsageError, match="holds no readable weights"):
        points_of(["Why?"], folder)
