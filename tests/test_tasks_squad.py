"""SQuAD's metrics equal those that the rule gives by another way of counting, whatever the answers look like."""

from __future__ import annotations

import random
import re
import string
from collections.abc import Sequence
from itertools import groupby

import pytest

from harness.learning.tasks.squad import normalised, score

KEYS = ("exact_match", "f1", "exact_match_per_answer", "f1_per_answer")


def tokens_by_hand(answer: str) -> list[str]:
    """The normalised tokens, character by character: no table, no pattern of articles."""
    kept = "".join(letter for letter in answer.lower() if letter not in string.punctuation)
    runs = ["".join(run) for _, run in groupby(kept, key=str.isalnum)]
    return re.split(r"\s+", f" {''.join(' ' if run in ('a', 'an', 'the') else run for run in runs)} ")[1:-1]


def f1_by_hand(prediction: list[str], reference: list[str]) -> float:
    """Precision and recall of tokens, struck off a sorted list one by one."""
    left = sorted(reference)
    same = 0
    for token in sorted(prediction):
        if token in left:
            left.remove(token)
            same += 1
    if same == 0:
        return 0.0
    precision, recall = same / len(prediction), same / len(reference)
    return 2 * precision * recall / (precision + recall)


def score_by_hand(predictions: Sequence[str], references: Sequence[Sequence[str]]) -> dict[str, float]:
    best_exact = best_f1 = exact = f1 = rows = 0.0
    for prediction, answers in zip(predictions, references, strict=True):
        ours = tokens_by_hand(prediction)
        exacts = [1.0 if tokens_by_hand(answer) == ours else 0.0 for answer in answers]
        f1s = [f1_by_hand(ours, tokens_by_hand(answer)) for answer in answers]
        best_exact, best_f1 = best_exact + max(exacts), best_f1 + max(f1s)
        exact, f1, rows = exact + sum(exacts), f1 + sum(f1s), rows + len(answers)
    questions = len(predictions)
    return dict(zip(KEYS, (best_exact / questions, best_f1 / questions, exact / rows, f1 / rows), strict=True))


PIECES = (
    *(
        "the",
        "The",
        "a",
        "A",
        "an",
        "AN",
        "then",
        "banana",
        "thesis",
        "cat",
        "cat",
        "Cats",
        "dog",
        "DOG",
        "1,000",
        "1000",
    ),
    *(
        "U.S.",
        "US",
        "don't",
        "dont",
        "well-known",
        "(the)",
        "a.",
        "'an'",
        "the_the",
        "$5",
        "l’a",
        "«the»",
        "—",
        "!?",
        "...",
    ),
    *(
        "café",
        "cafe\u0301",
        "a\u0301",
        "Straße",
        "İstanbul",
        "東京",
        "🦊",
        "𝐀",
        "ﬁ",
        "Å",
        "ª",
        "²",
        "ǅ",
        "ا",
        "é",
        "x\u200by",
    ),
)
SPACES = (" ", "  ", "\t", "\n", "\r\n", "\u00a0", "\u2003", "\u3000", "\x1c", "\x0b", "")


def some_answer(source: random.Random) -> str:
    count = source.choice((0, 1, 1, 2, 3, 4, 7))
    pieces = [source.choice(PIECES) + source.choice(SPACES) for _ in range(count)]
    return source.choice(SPACES) + "".join(pieces)


def near(source: random.Random, answer: str) -> str:
    """An answer that has something in common with another one, or is the same but for what is normalised away."""
    words = answer.split()
    source.shuffle(words)
    changed = " ".join([*words[: source.randint(0, len(words))], some_answer(source)])
    return source.choice((answer, f"the {answer.upper()}!", changed, some_answer(source)))


def test_thousands_of_answers_score_as_the_rule_says() -> None:
    source = random.Random(11)
    references = [[some_answer(source) for _ in range(source.choice((1, 1, 2, 3, 6)))] for _ in range(3_000)]
    predictions = [near(source, source.choice(answers)) for answers in references]
    for prediction, answers in zip(predictions, references, strict=True):
        assert normalised(prediction) == " ".join(tokens_by_hand(prediction))
        one, by_hand = score([prediction], [answers]), score_by_hand([prediction], [answers])
        assert one == pytest.approx(by_hand, abs=1e-9, rel=0), (prediction, answers)
    everything = score(predictions, references)
    assert everything == pytest.approx(score_by_hand(predictions, references), abs=1e-9, rel=0)
    assert all(0.1 < everything[key] < 0.9 for key in KEYS), everything


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("The  Cat,\tthe\u00a0dog!", "cat dog"),
        ("a an the", ""),
        ("(The) end.", "end"),
        ("well-known", "wellknown"),
        ("then a thesis", "then thesis"),
        ("l’a—b", "l’ —b"),
        ("U.S.A", "usa"),
        ("a.n apple", "apple"),
        ("", ""),
    ],
)
def test_what_is_compared(answer: str, expected: str) -> None:
    assert normalised(answer) == expected


def test_an_example_by_hand() -> None:
    """ "in 1858" against "1858": precision 1/2, recall 1, F1 2/3; against "in the year 1858": 1, 2/3, 4/5."""
    scores = score(["in 1858", "Rome"], [["1858", "in the year 1858"], ["the Rome."]])
    assert scores["exact_match"] == pytest.approx(1 / 2)
    assert scores["f1"] == pytest.approx((4 / 5 + 1) / 2)
    assert scores["exact_match_per_answer"] == pytest.approx(1 / 3)
    assert scores["f1_per_answer"] == pytest.approx((2 / 3 + 4 / 5 + 1) / 3)


def test_a_token_that_occurs_twice_counts_as_often_as_it_is_in_both() -> None:
    assert score(["cat cat cat"], [["cat cat dog"]])["f1"] == pytest.approx(2 / 3)


def test_the_best_reference_counts_in_any_order() -> None:
    references = ["dog", "black cat", "cat"]
    for order in (references, references[::-1]):
        assert score(["the cat"], [order])["f1"] == 1.0


def test_of_two_answers_without_a_word_the_match_is_exact_but_the_f1_is_zero() -> None:
    assert score(["the"], [["!"]]) == {"exact_match": 1, "f1": 0, "exact_match_per_answer": 1, "f1_per_answer": 0}
    assert score([""], [["cat"]]) == dict.fromkeys(KEYS, 0.0)


def test_a_question_without_references_counts_in_the_official_mean_alone() -> None:
    scores = score(["cat", "cat"], [["cat"], []])
    assert [scores[key] for key in KEYS] == [0.5, 0.5, 1.0, 1.0]


def test_no_questions_score_zero() -> None:
    assert score([], []) == dict.fromkeys(KEYS, 0.0)


def test_each_question_needs_its_prediction() -> None:
    with pytest.raises(ValueError, match="argument 2 is longer"):
        score(["cat"], [["cat"], ["dog"]])
