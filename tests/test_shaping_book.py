"""Which flows are kept, and when their rates change."""

from __future__ import annotations

import pytest

from harness.links.kernel import Flow, Nic
from harness.profiles import RateProfile
from harness.shaping.allowance import trace_by
from harness.shaping.book import Book, Kept

NIC = Nic("eth0", 1500, 14)
CHANGING = RateProfile(rate_min_mbps=20, rate_max_mbps=30, step_s=0.1)


def flow(peer: str = "10.0.0.1", rate: RateProfile = CHANGING) -> Flow:
    return Flow(peer=peer, port=5555, beat_port=5556, at="agent", rate=rate, seed=5)


def admitted(book: Book, owner: int = 1, **told: object) -> Kept:
    kept = book.admit(owner, flow(**told), NIC)  # type: ignore[arg-type]
    kept.begun_s = 100.0
    return kept


def test_flows_have_classes_of_their_own_and_free_ones_are_used_again() -> None:
    book = Book()
    first, second = admitted(book), admitted(book, peer="10.0.0.2")
    assert first.slot != second.slot
    book.strike(first)
    assert admitted(book, peer="10.0.0.3").slot == first.slot


def test_two_flows_that_match_the_same_packets_are_refused() -> None:
    book = Book()
    admitted(book)
    with pytest.raises(ValueError, match=r"another process .* two agents behind one address"):
        admitted(book, owner=2, peer="::ffff:10.0.0.1")


def test_nobody_has_a_say_about_anothers_flow() -> None:
    book = Book()
    kept = admitted(book)
    assert book.find(1, kept.flow.key) is kept
    with pytest.raises(ValueError, match=r"nothing is shaped to 10\.0\.0\.1 and port 5555"):
        book.find(2, kept.flow.key)
    assert book.of(2) == []


def test_a_trace_goes_on_step_by_step() -> None:
    book, trace = Book(), trace_by(CHANGING, 5)
    kept = admitted(book)
    assert kept.rate_bps == trace.rate_bps(0.0)
    assert book.wait_s(100.04) == pytest.approx(0.06)
    assert book.due(100.09) == []
    assert book.due(100.1) == [kept]
    assert kept.rate_bps == trace.rate_bps(0.15)
    assert book.wait_s(100.1) == pytest.approx(0.1)


def test_missed_steps_are_left_out() -> None:
    book, trace = Book(), trace_by(CHANGING, 5)
    kept = admitted(book)
    book.due(100.57)
    assert kept.rate_bps == trace.rate_bps(0.55)
    assert book.wait_s(100.57) == pytest.approx(0.03)


def test_a_constant_rate_never_changes() -> None:
    book = Book()
    admitted(book, rate=RateProfile(rate_mbps=25))
    assert book.wait_s(1e6) is None
    assert book.due(1e6) == []


def test_rates_that_change_too_often_are_refused() -> None:
    with pytest.raises(ValueError, match=r"step_s 0\.01 is too short"):
        admitted(Book(), rate=RateProfile(rate_min_mbps=1, rate_max_mbps=2, step_s=0.01))


@pytest.mark.parametrize(
    ("rate", "why"),
    [
        ({"rate_mbps": float("inf")}, "no class has inf Mbit/s"),
        ({"rate_mbps": 1e-6}, "no class has 1e-06 Mbit/s; it has from 0.001 to 30000"),
        ({"rates_mbps": (1.0, 1e300)}, "no class has"),
        ({"rates_mbps": (1.0,) * 10_001}, "10001 rates are too many"),
        ({"rates_mbps": (1.0, 2.0), "step_s": float("inf")}, "never ends"),
    ],
)
def test_rates_that_nobody_could_keep_are_refused(rate: dict[str, object], why: str) -> None:
    book = Book()
    with pytest.raises(ValueError, match=why):
        admitted(book, rate=RateProfile(**rate))  # type: ignore[arg-type]
    assert book.of(1) == []


def test_a_step_that_is_longer_than_the_kernel_waits_is_waited_for_in_parts() -> None:
    book = Book()
    admitted(book, rate=RateProfile(rates_mbps=(1.0, 2.0), step_s=1e300))
    assert book.wait_s(100.0) == 3600.0


def test_heartbeats_of_two_flows_may_share_a_class_and_nothing_else() -> None:
    book = Book()
    admitted(book)
    for ports in ({"port": 5556, "beat_port": 1}, {"port": 1, "beat_port": 5555}):
        with pytest.raises(ValueError, match="another process"):
            book.admit(2, Flow(peer="10.0.0.1", at="agent", rate=CHANGING, **ports), NIC)  # type: ignore[arg-type]
    book.admit(2, Flow(peer="10.0.0.1", at="agent", rate=CHANGING, port=1, beat_port=5556), NIC)
    book.admit(2, Flow(peer="10.0.0.1", at="controller", rate=CHANGING, port=5556, beat_port=2), NIC)
