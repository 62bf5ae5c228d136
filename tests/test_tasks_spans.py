"""The best span is the one that looking at every pair finds."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from harness.learning.tasks.spans import Span, best_span

SCORES = st.floats(-50, 50, width=32) | st.sampled_from([0.0, 1.0, 1.0, -np.inf, np.inf, np.nan])


def by_looking(start: NDArray[np.float32], end: NDArray[np.float32], allowed: list[bool], length: int) -> Span | None:
    best = None
    for first in range(len(start)):
        for last in range(first, min(first + length, len(start))):
            total = float(start[first]) + float(end[last])
            if allowed[first] and allowed[last] and total > (best.score if best else -np.inf):
                best = Span(total, first, last)
    return best


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(SCORES, SCORES, st.booleans()), max_size=24), st.integers(1, 30))
def test_every_pair_was_looked_at(tokens: list[tuple[float, float, bool]], length: int) -> None:
    start = np.array([token[0] for token in tokens], dtype=np.float32)
    end = np.array([token[1] for token in tokens], dtype=np.float32)
    allowed = [token[2] for token in tokens]
    assert best_span(start, end, np.array(allowed, dtype=bool), length) == by_looking(start, end, allowed, length)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=12), st.integers(1, 12))
def test_of_equal_spans_the_first_and_then_the_shortest_wins(tokens: list[tuple[int, int]], length: int) -> None:
    start, end = np.array(tokens, dtype=np.float32).T
    assert best_span(start, end, np.ones(len(start), dtype=bool), length) == by_looking(
        start, end, [True] * len(start), length
    )


def test_a_span_never_ends_before_it_begins_and_is_never_too_long() -> None:
    start = np.array([0, 0, 9, 0, 0], dtype=np.float32)
    end = np.array([9, 0, 0, 1, 8], dtype=np.float32)
    everywhere = np.ones(5, dtype=bool)
    assert best_span(start, end, everywhere, 2) == Span(10.0, 2, 3)
    assert best_span(start, end, everywhere, 3) == Span(17.0, 2, 4)


def test_where_no_token_is_allowed_there_is_no_span() -> None:
    scores = np.ones(4, dtype=np.float32)
    assert best_span(scores, scores, np.zeros(4, dtype=bool), 3) is None
    assert best_span(scores[:0], scores[:0], np.zeros(0, dtype=bool), 3) is None


def test_a_model_that_diverged_has_no_answer() -> None:
    scores = np.full(4, np.nan, dtype=np.float32)
    assert best_span(scores, scores, np.ones(4, dtype=bool), 3) is None
