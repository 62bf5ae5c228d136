"""Texts and pairs of texts become exactly the rows that transformers makes of them; accuracy counts the right ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from encoders import MINILM
from transformers import AutoTokenizer
from vocabularies import EMBEDDED_ENCODER, write_tokenizer

from harness.learning.data.encode import Encoded
from harness.learning.data.examples import TextExample
from harness.learning.data.tokenizer import TextTokenizer
from harness.learning.tasks.text_classification import TextScorer, encode

SHORT, LONG = "Empire State", "the cat don't sat on a mat, hello 東京 🙂 naïve"
TEXTS = ["", " ", "\u200b", "ba be bi bo bu " * 9, SHORT, LONG, LONG * 6, "<mask> [SEP] </s> the", "a\n\nb\tc", "ﬁ é"]


@pytest.fixture(scope="module", params=["embedded", "minilm", "roberta", "modernbert", "bert", "deberta-v2"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Model folders with each kind of tokenizer."""
    if request.param == "minilm" and not MINILM.is_dir():
        pytest.skip("the shared MiniLM is not here")
    here = {"embedded": EMBEDDED_ENCODER, "minilm": MINILM}
    return here.get(request.param) or write_tokenizer(tmp_path_factory.mktemp("made") / request.param, request.param)


def encoded(texts: list[str], folder: Path, max_length: int = 16) -> Encoded:
    """Texts that all have the label 'a'."""
    return encode([TextExample(text=text, label="a") for text in texts], ["a"], TextTokenizer(folder, max_length))


def rows(encoded: Encoded) -> list[list[int]]:
    return [encoded.input_ids[encoded.row(row)].tolist() for row in range(len(encoded))]


@pytest.mark.parametrize("max_length", [8, 13, 64])
def test_texts_are_what_transformers_makes_of_them(folder: Path, max_length: int) -> None:
    expected = AutoTokenizer.from_pretrained(str(folder))(TEXTS, truncation=True, max_length=max_length)
    made = encoded(TEXTS, folder, max_length)
    assert rows(made) == expected["input_ids"]
    assert made.types is None


@pytest.mark.parametrize("max_length", [8, 13, 64])
def test_pairs_are_cut_longest_first_as_transformers_does(folder: Path, max_length: int) -> None:
    pairs = [(first, second) for first in TEXTS for second in TEXTS]
    loaded = AutoTokenizer.from_pretrained(str(folder))
    expected = loaded(
        [first for first, _ in pairs],
        [second for _, second in pairs],
        truncation="longest_first",
        max_length=max_length,
        return_token_type_ids=True,
    )
    examples = [TextExample(text=first, pair=second, label="a") for first, second in pairs]
    made = encode(examples, ["a"], TextTokenizer(folder, max_length))
    assert rows(made) == expected["input_ids"]
    types = [kind for kinds in expected["token_type_ids"] for kind in kinds]
    assert (np.zeros_like(types) if made.types is None else made.types).tolist() == types
    assert (made.types is None) == (not any(types))


def test_second_texts_have_a_type_of_their_own_where_the_tokenizer_gives_one(tmp_path: Path) -> None:
    examples = [TextExample(text="the cat", pair="the cat", label="a")]
    with_types = encode(examples, ["a"], TextTokenizer(write_tokenizer(tmp_path / "bert", "bert"), 16))
    assert with_types.types is not None
    assert with_types.types.dtype == np.uint8
    assert set(with_types.types.tolist()) == {0, 1}
    without = encode(examples, ["a"], TextTokenizer(write_tokenizer(tmp_path / "roberta", "roberta"), 16))
    assert without.types is None


def test_texts_are_framed_cut_and_an_empty_one_is_special_tokens_alone() -> None:
    begin, end, unknown = 0, 2, 3
    long, one, empty, strange = rows(encoded(["ba be bi bo bu by", "ba", "", "ba nonsense"], EMBEDDED_ENCODER, 5))
    ba = one[1]
    assert (long[0], long[1], long[-1], len(long)) == (begin, ba, end, 5)
    assert one == [begin, ba, end]
    assert empty == [begin, end]
    assert strange == [begin, ba, unknown, end]


def test_labels_are_places_in_the_label_names() -> None:
    examples = [TextExample(text="ba", label=label) for label in ("dog", "cat", "dog")]
    labels = encode(examples, ["cat", "dog"], TextTokenizer(EMBEDDED_ENCODER, 8)).labels
    assert labels is not None
    assert (labels.tolist(), labels.dtype) == ([1, 0, 1], np.int64)


def test_more_texts_than_a_batch_stay_in_order() -> None:
    made = encoded(["ba be", "bi"] * 600, EMBEDDED_ENCODER)
    assert np.diff(made.offsets).tolist() == [4, 3] * 600


def test_accuracy_is_the_share_of_right_rows_in_any_order_of_batches() -> None:
    names = ["a", "b", "c"]
    examples = [TextExample(text="ba", label=label) for label in "abcab"]
    scorer = TextScorer(encode(examples, names, TextTokenizer(EMBEDDED_ENCODER, 8)))
    outputs = np.eye(3, dtype=np.float32)
    scorer.add([3, 1], outputs[[0, 1]])  # both right
    scorer.add([4, 0, 2], outputs[[2, 0, 1]])  # the first text right, the others wrong
    assert scorer.metrics() == {"accuracy": 3 / 5}
    assert type(scorer.metrics()["accuracy"]) is float


def test_rows_without_labels_cannot_be_scored() -> None:
    with pytest.raises(ValueError, match="no labels"):
        TextScorer(Encoded(np.zeros(1, dtype=np.int32), np.array([0, 1])))
