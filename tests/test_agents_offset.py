"""Two simulated clocks: whatever a network does to heartbeats, the true offset lies within what is told of it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.offset import NEAR_S, Clocks, Exchange, exchange_of

offsets = st.floats(-1e7, 1e7)
moments = st.floats(0.0, 1e6)
delays = st.floats(0.0, 30.0)
ROUNDING_S = 1e-6
"""Of differences between stamps as large as these; a microsecond is what a double has there, many times over."""


def heartbeat(offset_s: float, sent_s: float, there_s: float, held_s: float, back_s: float) -> Exchange | None:
    """One that takes ``there_s`` and ``back_s`` on its ways, and is held in between."""
    received_s = sent_s + there_s + offset_s
    return exchange_of(sent_s, received_s, received_s + held_s, sent_s + there_s + held_s + back_s)


@given(offsets, moments, delays, delays, delays)
def test_the_true_offset_lies_within_half_of_the_round_trip(
    offset_s: float, sent_s: float, there_s: float, held_s: float, back_s: float
) -> None:
    exchange = heartbeat(offset_s, sent_s, there_s, held_s, back_s)
    if exchange is None:
        assert there_s + back_s < ROUNDING_S  # it went round so fast that rounding makes it a journey back in time
    else:
        assert abs(exchange.offset_s - offset_s) <= exchange.rtt_s / 2 + ROUNDING_S
        assert exchange.rtt_s == pytest.approx(there_s + back_s, abs=ROUNDING_S)


@given(offsets, st.lists(st.tuples(st.floats(0.0, 60.0), delays, delays, delays), min_size=1), st.floats(0.0, 60.0))
def test_of_many_heartbeats_the_best_near_a_transfer_bounds_the_true_offset(
    offset_s: float, beats: list[tuple[float, float, float, float]], length_s: float
) -> None:
    clocks, begin_s = Clocks(), 30.0
    exchanges = [it for sent_s, *ways in beats if (it := heartbeat(offset_s, sent_s, *ways)) is not None]
    exchanges.sort(key=lambda it: it.at_s)
    ends = [(begin_s, "begin"), (begin_s + length_s, "end")]
    for at_s, it in sorted([*((it.at_s, it) for it in exchanges), *ends], key=lambda pair: pair[0]):
        if it == "begin":
            clocks.begin("download", at_s)
        elif it == "end":
            clocks.end("download", at_s)
        else:
            clocks.compared(it)
    near = [it for it in exchanges if begin_s - NEAR_S <= it.at_s <= begin_s + length_s + NEAR_S]
    told = clocks.offset("download")
    if not near:
        assert told is None
    else:
        assert told is not None
        assert told.uncertainty_s == min(it.rtt_s for it in near) / 2
        assert abs(told.offset_s - offset_s) <= told.uncertainty_s + ROUNDING_S


@pytest.mark.parametrize(
    "stamps",
    [
        (1.0, 5.0, 4.9, 2.0),
        (1.0, 5.0, 7.0, 2.0),
        (2.0, 5.0, 5.0, 1.0),
        (1.0, math.nan, 5.0, 2.0),
        (1.0, -math.inf, math.inf, 2.0),
        (1.0, 1e308, 1e308, -1e308),
    ],
)
def test_stamps_that_no_clocks_tell_are_no_exchange(stamps: tuple[float, float, float, float]) -> None:
    assert exchange_of(*stamps) is None


def exchange(at_s: float, rtt_s: float) -> Exchange:
    return Exchange(at_s=at_s, offset_s=50.0, rtt_s=rtt_s)


def uncertainty_s(clocks: Clocks) -> float | None:
    offset = clocks.offset("upload")
    return None if offset is None else offset.uncertainty_s


def test_a_heartbeat_before_a_transfer_and_one_after_it_count_and_none_from_long_ago() -> None:
    clocks = Clocks()
    clocks.compared(exchange(50.0, 0.25))
    clocks.begin("upload", 100.0)
    assert uncertainty_s(clocks) is None
    clocks.compared(exchange(101.0, 2.0))
    clocks.end("upload", 110.0)
    clocks.compared(exchange(110.0 + NEAR_S, 1.0))
    clocks.compared(exchange(111.0 + NEAR_S, 0.5))
    assert uncertainty_s(clocks) == 0.5


def test_another_controller_has_another_clock() -> None:
    clocks = Clocks()
    clocks.compared(exchange(99.0, 0.25))
    clocks.forget()
    clocks.begin("upload", 100.0)
    assert uncertainty_s(clocks) is None


def test_a_training_of_days_leaves_the_offset_of_its_download() -> None:
    clocks = Clocks()
    clocks.begin("download", 0.0)
    clocks.compared(exchange(1.0, 0.5))
    clocks.end("download", 2.0)
    for second in range(20, 5000):
        clocks.compared(exchange(float(second), 0.1))
    offset = clocks.offset("download")
    assert offset is not None
    assert offset.uncertainty_s == 0.25
