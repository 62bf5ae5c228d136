"""Questions become windows, and spans of tokens become the right characters again, whatever the tokenizer does."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_tokenizers import KINDS, SPECIALS, WORDS, write_tokenizer
from transformers import AutoTokenizer

from harness.errors import UsageError
from harness.learning.data.encode import Encoded
from harness.learning.data.examples import QuestionExample
from harness.learning.data.tokenizer import TextTokenizer
from harness.learning.tasks.question_answering import AnswerScorer, encode
from harness.learning.tasks.scoring import Outputs

MINILM = Path(__file__).parents[1].parent / "shared" / "models" / "minilm-l6"
UNICODE = [
    "café",
    "cafe\u0301",
    "🦊",
    "👩\u200d🚀",
    "東京",
    "naïve",
    "Việt",
    "Straße",
    "𝐀𝐁",
    "I\u0307x",
    "q\u0323\u0307",
]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {kind: write_tokenizer(tmp_path_factory.mktemp("tokenizer"), kind) for kind in KINDS}


@pytest.fixture
def of_words(folders: dict[str, Path]) -> Callable[[int], TextTokenizer]:
    return lambda max_length: TextTokenizer(folders["words"], max_length)


def example(context: str, answer: str = "", question: str = "w1 w2", at: int | None = None) -> QuestionExample:
    begin = context.index(answer) if at is None else at
    return QuestionExample("q", context, question, (answer,), ((begin, begin + len(answer)),) if answer else ())


def some_examples(count: int, source: random.Random) -> list[QuestionExample]:
    """Contexts of up to 150 words, most of them asked several times; answers of one or two words, anywhere."""
    examples: list[QuestionExample] = []
    while len(examples) < count:
        pieces = [source.choice((*WORDS, *UNICODE)) for _ in range(source.choice((3, 20, 60, 150)))]
        gaps = [source.choice((" ", " ", "  ")) for _ in pieces]
        begins = [
            sum(len(piece) + len(gap) for piece, gap in zip(pieces[:k], gaps[:k], strict=True))
            for k in range(len(pieces))
        ]
        context = "".join(piece + gap for piece, gap in zip(pieces, gaps, strict=True))
        for _ in range(source.choice((1, 3))):
            first = source.randrange(len(pieces))
            last = min(first + source.choice((0, 1)), len(pieces) - 1)
            answer = context[begins[first] : begins[last] + len(pieces[last])]
            question = " ".join(source.choices(WORDS, k=source.choice((0, 4, 30))))
            examples.append(example(context, answer, question, begins[first]))
    return examples[:count]


def told(encoded: Encoded, rows: Sequence[int], sure: float = 9.0) -> Outputs:
    """What a perfect model says of some rows: the span, or the first special token; beyond a row's length, nonsense."""
    longest = max(len(encoded.input_ids[encoded.row(row)]) for row in rows) + 3
    outputs = np.full((len(rows), longest, 2), 1e6, dtype=np.float32)
    for place, row in enumerate(rows):
        outputs[place, : encoded.offsets[row + 1] - encoded.offsets[row]] = 0
        assert encoded.spans is not None
        first, last = encoded.spans[row]
        outputs[place, first, 0] = outputs[place, last, 1] = sure
    return outputs


def scored(examples: Sequence[QuestionExample], encoded: Encoded, answer_length: int = 30) -> AnswerScorer:
    """A perfect model's outputs, in batches of three rows, the last rows first."""
    scorer = AnswerScorer(examples, encoded, answer_length)
    order = list(range(len(encoded)))[::-1]
    for start in range(0, len(order), 3):
        scorer.add(order[start : start + 3], told(encoded, order[start : start + 3]))
    return scorer


def spans(encoded: Encoded) -> list[list[int]]:
    assert encoded.spans is not None
    return [list(span) for span in encoded.spans.tolist()]


def lengths(encoded: Encoded) -> list[int]:
    return list(np.diff(encoded.offsets).tolist())


@pytest.mark.parametrize("kind", KINDS)
def test_a_perfect_model_answers_every_question(kind: str, folders: dict[str, Path]) -> None:
    examples = some_examples(120, random.Random(3))
    tokenizer = TextTokenizer(folders[kind], 64)
    encoded = encode(examples, tokenizer, question_length=20, stride=24)
    scorer = scored(examples, encoded)
    assert scorer.answers() == [one.answers[0] for one in examples]
    assert scorer.metrics() == dict.fromkeys(("exact_match", "f1", "exact_match_per_answer", "f1_per_answer"), 1.0)
    assert max(lengths(encoded)) == 64
    assert len(encoded) > 2 * len(examples)
    assert set(encoded.owners) == set(range(len(examples)))
    assert any(span == [0, 0] for span in spans(encoded))


@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_those_of_the_library_s_own_windows(kind: str, folders: dict[str, Path]) -> None:
    examples = some_examples(40, random.Random(5))
    examples = [one for one in examples if len(one.question.split()) < 5]
    encoded = encode(examples, TextTokenizer(folders[kind], 64), question_length=40, stride=10)
    check_against_the_library(folders[kind], examples, encoded, max_length=64, stride=10)


@pytest.mark.skipif(not MINILM.is_dir(), reason="the shared encoder is not on this machine")
def test_rows_of_a_real_encoder_are_those_of_the_library() -> None:
    examples = some_examples(40, random.Random(7))
    encoded = encode(examples, TextTokenizer(MINILM, 128), question_length=64, stride=32)
    check_against_the_library(MINILM, examples, encoded, max_length=128, stride=32)
    assert scored(examples, encoded).answers() == [one.answers[0] for one in examples]


def check_against_the_library(
    folder: Path, examples: Sequence[QuestionExample], encoded: Encoded, max_length: int, stride: int
) -> None:
    """Ids, types, samples, and, where post-processing does not touch them, places."""
    expected = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)(
        [one.question for one in examples],
        [one.context for one in examples],
        truncation="only_second",
        max_length=max_length,
        stride=stride,
        return_overflowing_tokens=True,
        return_token_type_ids=True,
        return_offsets_mapping=True,
    )
    assert [encoded.input_ids[encoded.row(row)].tolist() for row in range(len(encoded))] == expected["input_ids"]
    assert encoded.owners.tolist() == expected["overflow_to_sample_mapping"]
    types = np.concatenate([np.array(row) for row in expected["token_type_ids"]])
    assert np.array_equal(np.zeros_like(types) if encoded.types is None else encoded.types, types)
    assert encoded.places is not None
    for row in range(len(encoded)):
        in_context = [text == 1 for text in expected.sequence_ids(row)]
        offsets = np.array(expected["offset_mapping"][row])
        offsets[np.logical_not(in_context)] = -1
        assert np.array_equal(encoded.places[encoded.row(row)], offsets)


def test_a_question_stands_before_each_window_and_windows_overlap(of_words: Callable[[int], TextTokenizer]) -> None:
    """Room of ten: two for the question, eight for the context; steps of five."""
    context = " ".join(WORDS[:15])
    encoded = encode([example(context, "w8")], of_words(13), question_length=64, stride=3)
    w0 = len(SPECIALS)
    assert [encoded.input_ids[encoded.row(row)].tolist() for row in range(3)] == [
        [0, w0 + 1, w0 + 2, 1, *range(w0, w0 + 8), 1],
        [0, w0 + 1, w0 + 2, 1, *range(w0 + 5, w0 + 13), 1],
        [0, w0 + 1, w0 + 2, 1, *range(w0 + 10, w0 + 15), 1],
    ]
    assert spans(encoded) == [[0, 0], [7, 7], [0, 0]]
    assert encoded.types is not None
    assert encoded.types[:13].tolist() == [0] * 4 + [1] * 9
    assert encoded.places is not None
    assert encoded.places[:6].tolist() == [[-1, -1]] * 4 + [[0, 2], [3, 5]]


def test_a_span_that_one_window_cuts_is_whole_in_the_next(of_words: Callable[[int], TextTokenizer]) -> None:
    """Steps of five words, windows of eight: w6 to w8 is cut by the end of the first and whole in the second."""
    asked = [example(" ".join(WORDS[:15]), "w6 w7 w8")]
    encoded = encode(asked, of_words(13), question_length=64, stride=3)
    assert spans(encoded) == [[0, 0], [5, 7], [0, 0]]
    assert scored(asked, encoded).answers() == ["w6 w7 w8"]


def test_an_answer_longer_than_every_window_is_in_none(of_words: Callable[[int], TextTokenizer]) -> None:
    context = " ".join(WORDS[:15])
    encoded = encode([example(context, context)], of_words(13), question_length=64, stride=3)
    assert spans(encoded) == [[0, 0]] * 3


def test_a_long_question_and_a_wide_stride_leave_room_for_the_context(of_words: Callable[[int], TextTokenizer]) -> None:
    long = example(" ".join(WORDS[:12]), "w4", question=" ".join(WORDS))
    encoded = encode([long], of_words(11), question_length=64, stride=500)
    assert max(lengths(encoded)) == 11
    assert sorted(set(encoded.input_ids[encoded.row(1)][6:-1].tolist())) == [5, 6, 7, 8]
    assert scored([long], encoded).answers() == ["w4"]
    assert lengths(encode([long], of_words(40), question_length=3, stride=0)) == [3 + 12 + 3]


@pytest.mark.parametrize("max_length", [5, 6, 7])
def test_the_smallest_rows_still_cover_the_context(max_length: int, of_words: Callable[[int], TextTokenizer]) -> None:
    asked = [example(" ".join(WORDS[:9]), f"w{number}", question=" ".join(WORDS)) for number in range(9)]
    encoded = encode(asked, of_words(max_length), question_length=64, stride=128)
    assert set(lengths(encoded)) <= set(range(max_length + 1))
    assert scored(asked, encoded).answers() == [f"w{number}" for number in range(9)]


def test_a_length_without_room_for_both_texts_is_refused(of_words: Callable[[int], TextTokenizer]) -> None:
    with pytest.raises(UsageError, match=r"train\.max_length is 4, .* need at least 5 tokens.*: give at least that$"):
        encode([example("w1", "w1")], of_words(4), question_length=64, stride=1)


def test_without_examples_there_are_no_rows(of_words: Callable[[int], TextTokenizer]) -> None:
    encoded = encode([], of_words(16), question_length=8, stride=4)
    assert len(encoded) == 0
    assert AnswerScorer([], encoded, 30).answers() == []


@pytest.mark.parametrize("blank", ["", "  ", "\n"])
def test_an_empty_context_is_one_row_without_an_answer(blank: str, of_words: Callable[[int], TextTokenizer]) -> None:
    asked = [example(blank), example("w3", "w3"), example(blank, question="")]
    encoded = encode(asked, of_words(16), question_length=8, stride=4)
    assert encoded.owners.tolist() == [0, 1, 2]
    assert lengths(encoded) == [5, 6, 3]
    assert spans(encoded) == [[0, 0], [4, 4], [0, 0]]
    assert scored(asked, encoded).answers() == ["", "w3", ""]
    only_blank = encode([asked[0], asked[2]], of_words(16), question_length=8, stride=4)
    assert lengths(only_blank) == [5, 3]


def test_what_a_tokenizer_drops_has_no_span(folders: dict[str, Path]) -> None:
    """BERT's normaliser drops control characters; what stands beside them keeps its place."""
    asked = [example("w1 \x01\x02 w2", "\x01\x02"), example("\x01 \x02", "\x01"), example("w1 \x01\x02 w2", "w2")]
    encoded = encode(asked, TextTokenizer(folders["accents dropped"], 16), question_length=8, stride=4)
    assert spans(encoded) == [[0, 0], [0, 0], [5, 5]]
    assert scored(asked, encoded).answers()[1:] == ["", "w2"]


def test_an_answer_on_part_of_a_token_takes_the_token(of_words: Callable[[int], TextTokenizer]) -> None:
    asked = [example("w1 w22 w33 w4", "2 w3")]
    encoded = encode(asked, of_words(16), question_length=8, stride=4)
    assert spans(encoded) == [[5, 6]]
    assert scored(asked, encoded).answers() == ["w22 w33"]


def test_spaces_around_an_answer_take_no_token(folders: dict[str, Path]) -> None:
    """Tokens hold the space before them here, and a second space is a token of its own."""
    asked = [example("w1  w2 w3", "  w2 ")]
    encoded = encode(asked, TextTokenizer(folders["metaspace"], 16), question_length=8, stride=4)
    first, last = spans(encoded)[0]
    assert first == last
    assert scored(asked, encoded).answers() == ["w2"]


def test_an_answer_without_characters_has_no_span(of_words: Callable[[int], TextTokenizer]) -> None:
    asked = [QuestionExample("q", "w10 w2", "w3", ("",), ((1, 1),)), example("w1  w2", "  ", at=2)]
    assert spans(encode(asked, of_words(16), question_length=8, stride=4)) == [[0, 0], [0, 0]]


def test_a_sample_without_a_span_is_encoded_for_scoring_alone(of_words: Callable[[int], TextTokenizer]) -> None:
    asked = QuestionExample("q", "w1 w2", "w3", ("w2",), ())
    assert spans(encode([asked], of_words(16), question_length=8, stride=4)) == [[0, 0]]


def test_any_byte_of_a_character_stands_for_the_whole_character(folders: dict[str, Path]) -> None:
    asked = [example("w1 🦊🦊 w2", "🦊", at=4)]
    encoded = encode(asked, TextTokenizer(folders["byte-level"], 32), question_length=8, stride=4)
    assert encoded.places is not None
    first, last = spans(encoded)[0]
    assert last - first == 3  # four bytes, four tokens
    assert encoded.places[first : last + 1].tolist() == [[4, 5]] * 4
    outputs = np.zeros((1, len(encoded.input_ids), 2), dtype=np.float32)
    outputs[0, first + 2] = 5.0
    scorer = AnswerScorer(asked, encoded, 30)
    scorer.add([0], outputs)
    assert scorer.answers() == ["🦊"]


def test_the_surest_window_answers_and_of_equal_ones_the_first(of_words: Callable[[int], TextTokenizer]) -> None:
    asked = [example(" ".join(WORDS[:15]), "w6")]
    encoded = encode(asked, of_words(13), question_length=64, stride=3)
    outputs = np.zeros((3, 13, 2), dtype=np.float32)
    outputs[[0, 1, 2], [4, 6, 8]] = [[2.0], [3.0], [3.0]]
    for order in ([0, 1, 2], [2, 1, 0]):
        scorer = AnswerScorer(asked, encoded, 30)
        for row in order:
            scorer.add([row], outputs[[row]])
        assert scorer.answers() == ["w7"]


def test_the_question_and_special_tokens_are_never_the_answer(of_words: Callable[[int], TextTokenizer]) -> None:
    asked = [example("w5 w6 w7", "w6")]
    encoded = encode(asked, of_words(16), question_length=8, stride=4)
    outputs = np.full((1, 20, 2), 50.0, dtype=np.float32)
    outputs[0, 4:7] = [[-9.0, -9.0], [-1.0, -1.0], [-9.0, -9.0]]
    scorer = AnswerScorer(asked, encoded, 30)
    scorer.add([0], outputs)
    assert scorer.answers() == ["w6"]


def test_a_model_that_diverged_answers_nothing(of_words: Callable[[int], TextTokenizer]) -> None:
    asked = [example("w5 w6 w7", "w6")]
    encoded = encode(asked, of_words(16), question_length=8, stride=4)
    scorer = AnswerScorer(asked, encoded, 30)
    scorer.add([0], np.full((1, 8, 2), np.nan, dtype=np.float32))
    assert scorer.metrics()["exact_match"] == 0.0


def test_answers_are_looked_for_up_to_a_length(of_words: Callable[[int], TextTokenizer]) -> None:
    asked = [example(" ".join(WORDS[:12]), "w2 w3 w4")]
    encoded = encode(asked, of_words(30), question_length=8, stride=4)
    assert scored(asked, encoded, answer_length=3).answers() == ["w2 w3 w4"]
    assert len(scored(asked, encoded, answer_length=2).answers()[0].split()) <= 2


def test_rows_without_places_cannot_be_scored(of_words: Callable[[int], TextTokenizer]) -> None:
    encoded = encode([example("w1", "w1")], of_words(16), question_length=8, stride=4)
    with pytest.raises(ValueError, match="places"):
        AnswerScorer([example("w1", "w1")], replace(encoded, places=None), 30)
