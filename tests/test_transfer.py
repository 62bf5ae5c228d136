import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stub_controller import blob

from harness.errors import BlobError
from harness.protocol.messages import MAX_CHUNK_BYTES, Accept, Corrupt, Credit, Fetch, Received
from harness.protocol.transfer import MOST_CHUNKS, WINDOW_BYTES, Incoming, Outgoing, Span, spans

DATA = bytes(range(250)) * 4
REF = blob("x", DATA)
BIG = blob("big", bytes(3 * WINDOW_BYTES))


def test_a_fetch_is_answered_in_chunks_up_to_its_credit() -> None:
    fetch = Fetch(sha256=REF.sha256, offset=100, credit_bytes=500, chunk_bytes=200)
    assert list(spans(fetch, 1000)) == [Span(100, 200), Span(300, 200), Span(500, 100)]
    assert list(spans(fetch, 350)) == [Span(100, 200), Span(300, 50)]


@pytest.mark.parametrize(("offset", "credit_bytes"), [(1000, 1), (0, WINDOW_BYTES + 1)])
def test_a_fetch_beyond_blob_or_window_is_refused(offset: int, credit_bytes: int) -> None:
    fetch = Fetch(sha256=REF.sha256, offset=offset, credit_bytes=credit_bytes, chunk_bytes=MAX_CHUNK_BYTES)
    with pytest.raises(BlobError, match="does not fit blob"):
        spans(fetch, 1000)


def test_a_fetch_in_crumbs_is_refused() -> None:
    fetch = Fetch(sha256=BIG.sha256, offset=0, credit_bytes=MOST_CHUNKS + 1, chunk_bytes=1)
    with pytest.raises(BlobError, match="chunks at once"):
        spans(fetch, BIG.size_bytes)


def test_an_offset_is_told_with_each_new_piece() -> None:
    incoming = Incoming(REF)
    assert incoming.arrived(0, DATA[:300]).offset == 0
    assert incoming.arrived(300, DATA[300:]).offset == 300
    assert incoming.complete
    assert incoming.verdict() == Received(sha256=REF.sha256)


def test_duplicates_and_gaps_change_nothing() -> None:
    incoming = Incoming(REF)
    incoming.arrived(0, DATA[:300])
    assert incoming.arrived(0, DATA[:300]) is None
    assert incoming.arrived(500, DATA[500:]) is None
    assert incoming.landed_bytes == 300


def test_of_an_overlap_the_new_bytes_are_taken() -> None:
    incoming = Incoming(REF)
    incoming.arrived(0, DATA[:300])
    landed = incoming.arrived(200, DATA[200:400])
    assert (landed.offset, bytes(landed.data)) == (300, DATA[300:400])


def test_a_chunk_beyond_the_end_is_refused() -> None:
    with pytest.raises(BlobError, match="beyond its 1000 bytes"):
        Incoming(REF).arrived(900, bytes(200))


@given(st.lists(st.tuples(st.integers(0, 999), st.integers(1, 400)), max_size=40))
def test_whatever_comes_in_whatever_order_lands_as_it_was(pieces: list[tuple[int, int]]) -> None:
    incoming, file = Incoming(REF), bytearray(1000)
    for offset, size in [*pieces, *((start, 100) for start in range(0, 1000, 100))]:
        landed = incoming.arrived(offset, DATA[offset : offset + size])
        if landed is not None:
            file[landed.offset : landed.offset + len(landed.data)] = landed.data
    assert bytes(file) == DATA
    assert isinstance(incoming.verdict(), Received)


def test_no_more_than_a_window_is_on_its_way() -> None:
    incoming = Incoming(BIG)
    fetch = incoming.fetch()
    assert (fetch.offset, fetch.credit_bytes) == (0, WINDOW_BYTES)
    assert incoming.fetch() is None


def test_credit_is_renewed_once_half_the_window_is_free() -> None:
    incoming = Incoming(BIG)
    incoming.fetch()
    incoming.arrived(0, bytes(WINDOW_BYTES // 2 - 1))
    assert incoming.fetch() is None
    incoming.arrived(WINDOW_BYTES // 2 - 1, bytes(1))
    fetch = incoming.fetch()
    assert (fetch.offset, fetch.credit_bytes) == (WINDOW_BYTES, WINDOW_BYTES // 2)


def test_a_paced_download_asks_for_what_it_wants() -> None:
    incoming = Incoming(REF)
    asked = [incoming.fetch(400, 400) for _ in range(4)]
    assert [(fetch.offset, fetch.credit_bytes) for fetch in asked[:3]] == [(0, 400), (400, 400), (800, 200)]
    assert asked[3] is None


def test_what_got_lost_is_asked_for_again_after_a_rewind() -> None:
    incoming = Incoming(REF)
    incoming.fetch()
    incoming.arrived(0, DATA[:300])
    incoming.rewind()
    assert incoming.fetch().offset == 300


def test_a_resumed_blob_goes_on_behind_what_is_here_and_is_checked_whole() -> None:
    incoming = Incoming(REF)
    incoming.resume(DATA[:600])
    assert incoming.fetch().offset == 600
    assert incoming.accept() == Accept(sha256=REF.sha256, offset=600, credit_bytes=400)
    incoming.arrived(600, DATA[600:])
    assert isinstance(incoming.verdict(), Received)


def test_a_wrong_hash_begins_again_once_and_is_given_up_then() -> None:
    incoming = Incoming(REF)
    incoming.arrived(0, bytes(1000))
    assert isinstance(incoming.verdict(), Corrupt)
    assert (incoming.landed_bytes, incoming.fetch().offset) == (0, 0)
    incoming.arrived(0, bytes(1000))
    with pytest.raises(BlobError, match=r"'x' has hash .* twice"):
        incoming.verdict()


def test_a_wrong_hash_of_what_was_resumed_is_not_held_against_the_way() -> None:
    incoming = Incoming(REF)
    incoming.resume(bytes(600))
    assert incoming.resumed_bytes == 600
    incoming.arrived(600, DATA[600:])
    assert isinstance(incoming.verdict(), Corrupt)
    assert incoming.resumed_bytes == 0
    incoming.arrived(0, bytes(1000))
    assert isinstance(incoming.verdict(), Corrupt)
    incoming.arrived(0, bytes(1000))
    with pytest.raises(BlobError, match="twice"):
        incoming.verdict()


def test_an_upload_sends_what_it_has_credit_for() -> None:
    outgoing = Outgoing(REF)
    assert outgoing.next_span() is None
    outgoing.accepted(Accept(sha256=REF.sha256, offset=100, credit_bytes=300))
    assert outgoing.next_span(200) == Span(100, 200)
    outgoing.sent(Span(100, 200))
    assert outgoing.next_span(200) == Span(300, 100)
    outgoing.sent(Span(300, 100))
    assert outgoing.next_span(200) is None
    outgoing.credited(Credit(sha256=REF.sha256, offset=400, limit=5000))
    assert outgoing.next_span(800) == Span(400, 600)
    outgoing.sent(Span(400, 600))
    assert outgoing.offset == outgoing.blob.size_bytes


def test_old_credit_takes_nothing_back() -> None:
    outgoing = Outgoing(REF)
    outgoing.accepted(Accept(sha256=REF.sha256, offset=0, credit_bytes=500))
    outgoing.credited(Credit(sha256=REF.sha256, offset=0, limit=100))
    assert outgoing.limit == 500


def test_a_damaged_upload_begins_again_once() -> None:
    outgoing, corrupt = Outgoing(REF), Corrupt(sha256=REF.sha256, reason="hash")
    outgoing.accepted(Accept(sha256=REF.sha256, offset=0, credit_bytes=1000))
    outgoing.sent(Span(0, 1000))
    outgoing.corrupt(corrupt)
    assert outgoing.next_span() is None
    outgoing.accepted(Accept(sha256=REF.sha256, offset=0, credit_bytes=1000))
    assert outgoing.next_span() == Span(0, 1000)
    with pytest.raises(BlobError, match="damaged twice"):
        outgoing.corrupt(corrupt)


def test_both_ends_move_a_blob_of_many_windows() -> None:
    data = bytes(range(256)) * 40_000
    ref = blob("x", data)
    incoming, outgoing, digest = Incoming(ref), Outgoing(ref), hashlib.sha256()
    outgoing.accepted(incoming.accept())
    while not incoming.complete:
        span = outgoing.next_span()
        outgoing.sent(span)
        digest.update(incoming.arrived(span.offset, data[span.offset : span.offset + span.size_bytes]).data)
        if credit := incoming.credit():
            outgoing.credited(credit)
    assert digest.hexdigest() == ref.sha256
    assert outgoing.offset == outgoing.blob.size_bytes


def test_an_upload_that_arrived_damaged_waits_for_the_receiver_to_ask_again() -> None:
    outgoing = Outgoing(REF)
    outgoing.accepted(Accept(sha256=REF.sha256, offset=300, credit_bytes=200))
    outgoing.corrupt(Corrupt(sha256=REF.sha256, reason="damaged"))
    assert outgoing.next_span() is None
    outgoing.accepted(Accept(sha256=REF.sha256, offset=0, credit_bytes=200))
    assert outgoing.next_span() == Span(0, 200)


def test_a_receiver_cannot_have_more_than_there_is() -> None:
    outgoing = Outgoing(REF)
    outgoing.accepted(Accept(sha256=REF.sha256, offset=len(DATA), credit_bytes=200))
    assert outgoing.next_span() is None
    with pytest.raises(BlobError, match=f"has {len(DATA) + 1} of {len(DATA)} bytes"):
        outgoing.accepted(Accept(sha256=REF.sha256, offset=len(DATA) + 1, credit_bytes=200))
