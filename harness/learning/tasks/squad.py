"""SQuAD v1.1's metrics (Rajpurkar et al. 2016, section 6.1): exact match and token F1 of answers; pure.

Both compare normalised answers: lower case, without the punctuation of ASCII, the articles *a*, *an* and *the* left
out, each run of white space one space. As in the official script of v1.1, and unlike v2.0's, two answers of which
nothing is left match exactly, but have no token in common, so their F1 is 0.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Sequence

_WITHOUT_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")


def normalised(answer: str) -> str:
    """An answer as it is compared. Punctuation goes before the articles do: ``"(The) end."`` is ``"end"``."""
    unpunctuated = answer.lower().translate(_WITHOUT_PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", unpunctuated).split())


def score(predictions: Sequence[str], references: Sequence[Sequence[str]]) -> dict[str, float]:
    """Metrics of one prediction for each question against the references of each; shares of 1.

    ``exact_match`` and ``f1`` are the official ones: the best over the references of a question (F1 and exact match
    each by itself), averaged over questions. ``exact_match_per_answer`` and ``f1_per_answer`` have one row for each
    pair of question and reference, and average over rows. A question without references scores 0 and has no rows; the
    average of nothing is 0.

    Raises:
        ValueError: there are not as many predictions as questions.
    """
    by_question = [_against(prediction, answers) for prediction, answers in zip(predictions, references, strict=True)]
    rows = [pair for pairs in by_question for pair in pairs]
    return {
        "exact_match": _mean([max((exact for exact, _ in pairs), default=0.0) for pairs in by_question]),
        "f1": _mean([max((f1 for _, f1 in pairs), default=0.0) for pairs in by_question]),
        "exact_match_per_answer": _mean([exact for exact, _ in rows]),
        "f1_per_answer": _mean([f1 for _, f1 in rows]),
    }


def _against(prediction: str, references: Sequence[str]) -> list[tuple[float, float]]:
    """Exact match and F1 of a prediction with each reference."""
    ours = normalised(prediction)
    theirs = [normalised(reference) for reference in references]
    return [(float(ours == reference), _f1(ours.split(), reference.split())) for reference in theirs]


def _f1(prediction: list[str], reference: list[str]) -> float:
    """Harmonic mean of precision and recall of tokens; one that occurs twice counts twice.

    2 P R / (P + R) with P = common / predicted and R = common / expected, reduced.
    """
    common = (Counter(prediction) & Counter(reference)).total() if prediction and reference else 0
    return 2 * common / (len(prediction) + len(reference)) if common else 0.0


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
