"""Tags stand on first tokens, every word of a test sentence is scored once, and F1 is seqeval's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from encoders import MINILM
from seqeval.metrics import f1_score, precision_score, recall_score
from transformers import AutoTokenizer, PreTrainedTokenizerBase
from vocabularies import EMBEDDED_ENCODER, write_tokenizer

from harness.learning.data.encode import UNLABELLED, Encoded
from harness.learning.data.examples import SentenceExample
from harness.learning.data.tokenizer import TextTokenizer
from harness.learning.tasks.token_classification import TagScorer, encode

NAMES = ("B-LOC", "B-PER", "I-LOC", "I-PER", "O")
WORDS = (
    "the",
    "cat",
    "State",
    "don't",
    "straße",
    "東京",
    "🙂",
    "naïve",
    "x" * 30,
    "東" * 12,
    "[SEP]",
    "</s>",
    "a\u0301",
)
DROPPED = ("", "\u200b", "\x07")


@pytest.fixture(scope="module", params=["embedded", "minilm", "roberta", "split", "bert", "deberta-v2"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Model folders with each kind of tokenizer."""
    if request.param == "minilm" and not MINILM.is_dir():
        pytest.skip("the shared MiniLM is not here")
    here = {"embedded": EMBEDDED_ENCODER, "minilm": MINILM}
    return here.get(request.param) or write_tokenizer(tmp_path_factory.mktemp("made") / request.param, request.param)


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Word pieces, which drop zero-width and control characters."""
    return write_tokenizer(tmp_path_factory.mktemp("made") / "bert", "bert")


def sentences(count: int, seed: int) -> list[SentenceExample]:
    """Sentences of 0 to 40 words, some of which tokenizers drop, with IOB2 tags."""
    chance = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        length = int(chance.choice([0, 1, 2, 5, 10, 40]))
        words = tuple(chance.choice([*WORDS, *DROPPED], size=length).tolist())
        made.append(SentenceExample(words=words, tags=tagged(length, chance)))
    return made


def tagged(length: int, chance: np.random.Generator) -> tuple[str, ...]:
    """Tags in IOB2: entities of one to three words, and words outside."""
    tags: list[str] = []
    while len(tags) < length:
        kind = str(chance.choice(["LOC", "PER"]))
        tags += ["O"] * int(chance.integers(0, 3)) + [f"B-{kind}"] + [f"I-{kind}"] * int(chance.integers(0, 3))
    return tuple(tags[:length])


def predictions(examples: Sequence[SentenceExample], chance: np.random.Generator, wrong: float) -> list[list[str]]:
    """The true tags, each with this probability replaced by any: not IOB2 any more."""
    return [
        [str(chance.choice(NAMES)) if chance.random() < wrong else tag for tag in example.tags] for example in examples
    ]


def outputs(encoded: Encoded, wanted: list[list[str]], chance: np.random.Generator) -> np.ndarray:
    """What a model that predicts the wanted tags gives; on all other tokens, padding too, what it gives is chance."""
    assert encoded.places is not None
    longest = int(np.diff(encoded.offsets).max()) + 2
    made = chance.standard_normal((len(encoded), longest, len(NAMES)), dtype=np.float32)
    for row, sample in enumerate(encoded.owners):
        for token, word in enumerate(encoded.places[encoded.row(row), 0]):
            if word >= 0:
                made[row, token, NAMES.index(wanted[sample][word])] = 9.0
    return made


def loaded_words(loaded: PreTrainedTokenizerBase, words: list[str], max_length: int) -> list[int | None]:
    """The word of each token of a sentence that is cut, as transformers tells it."""
    return loaded(words, is_split_into_words=True, truncation=True, max_length=max_length).word_ids()


def test_a_tag_stands_on_the_first_token_of_its_word_alone(bert: Path) -> None:
    tokenizer = TextTokenizer(bert, 32, words=True)
    example = SentenceExample(words=("the", "東京", "", "cat"), tags=("O", "B-LOC", "I-LOC", "B-PER"))
    (split,) = tokenizer.split([example.words])
    assert split.word_ids.count(1) > 1
    encoded = encode([example], NAMES, tokenizer, for_scoring=False)
    expected = [UNLABELLED] * (len(split.ids) + 2)
    for word, tag in ((0, 4), (1, 0), (3, 1)):
        expected[1 + split.word_ids.index(word)] = tag
    assert encoded.tags is not None
    assert (encoded.tags.tolist(), encoded.tags.dtype) == (expected, np.int32)
    assert (encoded.samples, encoded.places, encoded.types, encoded.labels) == (None, None, None, None)


@pytest.mark.parametrize("max_length", [8, 13, 64])
def test_what_is_learned_is_cut_as_transformers_does(folder: Path, max_length: int) -> None:
    examples = [SentenceExample(words=WORDS * repeats, tags=("O",) * 13 * repeats) for repeats in (1, 3)]
    encoded = encode(examples, NAMES, TextTokenizer(folder, max_length, words=True), for_scoring=False)
    loaded = AutoTokenizer.from_pretrained(str(folder), add_prefix_space=True)
    space = " " if folder.name == "split" else ""  # there transformers does not heed add_prefix_space
    words = [[space + word for word in example.words] for example in examples]
    expected = loaded(words, is_split_into_words=True, truncation=True, max_length=max_length)["input_ids"]
    assert [encoded.input_ids[encoded.row(row)].tolist() for row in range(2)] == expected
    firsts = [sum(word is not None for word in dict.fromkeys(loaded_words(loaded, one, max_length))) for one in words]
    assert encoded.tags is not None
    assert [int((encoded.tags[encoded.row(row)] != UNLABELLED).sum()) for row in range(2)] == firsts


@pytest.mark.parametrize("max_length", [8, 9, 16, 64])
def test_each_word_that_has_a_token_is_scored_once(folder: Path, max_length: int) -> None:
    examples = sentences(60, seed=1)
    tokenizer = TextTokenizer(folder, max_length, words=True)
    encoded = encode(examples, NAMES, tokenizer, for_scoring=True)
    assert encoded.places is not None
    assert encoded.tags is not None
    assert np.diff(encoded.offsets).max() <= max_length
    placed = encoded.places[:, 0] >= 0
    assert (placed == (encoded.tags != UNLABELLED)).all()
    owners = np.repeat(encoded.owners, np.diff(encoded.offsets))[placed]
    found = list(zip(owners.tolist(), encoded.places[placed, 0].tolist(), strict=True))
    split = tokenizer.split([example.words for example in examples])
    assert sorted(found) == [(place, word) for place, one in enumerate(split) for word in sorted(set(one.word_ids))]
    tags = [examples[sample].tags[word] for sample, word in found]
    assert [NAMES[tag] for tag in encoded.tags[placed]] == tags


def test_a_word_is_scored_where_more_of_its_surroundings_is_seen() -> None:
    words = ("ba",) * 100
    tokenizer = TextTokenizer(EMBEDDED_ENCODER, 22, words=True)
    encoded = encode([SentenceExample(words=words, tags=("O",) * 100)], NAMES, tokenizer, for_scoring=True)
    assert encoded.places is not None
    assert len(encoded) == 9
    for row in range(len(encoded)):
        words_here = encoded.places[encoded.row(row), 0]
        (scored,) = np.nonzero(words_here >= 0)
        assert scored[0] == (1 if row == 0 else 6)
        assert scored[-1] == (20 if row == 8 else 15)


def test_sentences_without_a_token_are_special_tokens_and_outside(bert: Path) -> None:
    examples = [SentenceExample(words=(), tags=()), SentenceExample(words=DROPPED, tags=("B-LOC", "I-LOC", "O"))]
    for for_scoring in (False, True):
        encoded = encode(examples, NAMES, TextTokenizer(bert, 16, words=True), for_scoring)
        assert np.diff(encoded.offsets).tolist() == [2, 2]
        assert encoded.tags is not None
        assert (encoded.tags == UNLABELLED).all()
    scorer = TagScorer(examples, encoded, NAMES)
    scorer.add([0, 1], np.ones((2, 2, len(NAMES)), dtype=np.float32))
    assert scorer.metrics() == {"f1": 0.0, "precision": 0.0, "recall": 0.0}


@pytest.mark.parametrize("max_length", [8, 21, 64])
@pytest.mark.parametrize("wrong", [0.0, 0.2, 1.0])
def test_metrics_are_seqevals_on_the_wanted_tags(folder: Path, max_length: int, wrong: float) -> None:
    chance = np.random.default_rng(max_length)
    examples = sentences(100, seed=max_length)
    tokenizer = TextTokenizer(folder, max_length, words=True)
    encoded = encode(examples, NAMES, tokenizer, for_scoring=True)
    wanted = predictions(examples, chance, wrong)
    scorer = TagScorer(examples, encoded, NAMES)
    made = outputs(encoded, wanted, chance)
    for rows in np.array_split(chance.permutation(len(encoded)), 7):
        scorer.add(rows.tolist(), made[rows])
    for tags, split in zip(wanted, tokenizer.split([example.words for example in examples]), strict=True):
        for word in set(range(len(tags))) - set(split.word_ids):
            tags[word] = "O"
    true = [list(example.tags) for example in examples]
    metrics = scorer.metrics()
    assert metrics["f1"] == pytest.approx(f1_score(true, wanted, zero_division=0), abs=1e-9)
    assert metrics["precision"] == pytest.approx(precision_score(true, wanted, zero_division=0), abs=1e-9)
    assert metrics["recall"] == pytest.approx(recall_score(true, wanted, zero_division=0), abs=1e-9)
    assert 0.0 < metrics["f1"] <= 1.0
    assert [type(value) for value in metrics.values()] == [float] * 3


def test_an_entity_is_right_with_its_type_and_both_ends() -> None:
    example = SentenceExample(words=("ba",) * 6, tags=("B-LOC", "I-LOC", "O", "B-PER", "O", "B-LOC"))
    encoded = encode([example], NAMES, TextTokenizer(EMBEDDED_ENCODER, 16, words=True), for_scoring=True)
    scorer = TagScorer([example], encoded, NAMES)
    predicted = [["B-LOC", "I-LOC", "O", "B-LOC", "O", "I-LOC"]]  # the last one opens an entity, as seqeval reads it
    scorer.add([0], outputs(encoded, predicted, np.random.default_rng(0)))
    assert scorer.metrics() == pytest.approx({"f1": 2 / 3, "precision": 2 / 3, "recall": 2 / 3})


def test_nothing_to_find_and_nothing_found_is_zero() -> None:
    example = SentenceExample(words=("ba", "be"), tags=("O", "O"))
    encoded = encode([example], NAMES, TextTokenizer(EMBEDDED_ENCODER, 16, words=True), for_scoring=True)
    scorer = TagScorer([example], encoded, NAMES)
    scorer.add([0], outputs(encoded, [["O", "O"]], np.random.default_rng(0)))
    assert scorer.metrics() == {"f1": 0.0, "precision": 0.0, "recall": 0.0}


def test_what_was_encoded_to_be_learned_cannot_be_scored() -> None:
    example = SentenceExample(words=("ba",), tags=("O",))
    encoded = encode([example], NAMES, TextTokenizer(EMBEDDED_ENCODER, 16, words=True), for_scoring=False)
    with pytest.raises(ValueError, match="encode them for scoring"):
        TagScorer([example], encoded, NAMES)
