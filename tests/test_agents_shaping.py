"""Downloads and uploads on a fake clock: bytes and seconds agree with the link."""

from collections.abc import Callable
from pathlib import Path

import pytest
from stub_controller import blob

from agents.patience import STALL_S
from agents.shaping import Download, StalledError, Upload
from harness.blobs import Landing, partial_of
from harness.links import Pacer, RateTrace
from harness.protocol.messages import Accept, Chunk, Corrupt, Credit, Fetch, Offer, TaskRef
from harness.protocol.transfer import WINDOW_BYTES, spans

DATA = bytes(range(256)) * 10_000
REF = blob("state", DATA)
TWENTY_MBPS = RateTrace(20e6, 20e6, 0.5)


class Wire(list):
    def send(self, message: object, payload: bytes | None = None) -> None:
        self.append((message, payload))


def download(tmp_path: Path, pacer: Pacer) -> tuple[Download, Wire]:
    wire = Wire()
    return Download(Landing(REF, tmp_path / "state", resume=False), pacer, wire.send, now_s=0.0), wire


def deliver(it: Download, wire: Wire, now_s: float) -> None:
    """Answer the fetches that were sent."""
    for fetch, _ in wire:
        for span in spans(fetch, len(DATA)):
            it.arrived(span.offset, memoryview(DATA)[span.offset : span.offset + span.size_bytes], now_s)
    wire.clear()


def test_a_shaped_download_takes_the_time_of_the_link(tmp_path: Path) -> None:
    it, wire = download(tmp_path, Pacer(TWENTY_MBPS, latency_s=0.05, now_s=0.0))
    now_s = 0.0
    while not it.landed():
        wait_s = it.pump(now_s)
        if wire:
            deliver(it, wire, now_s)
        else:
            now_s += wait_s
    assert now_s == pytest.approx(len(DATA) * 8 / 20e6 + 2 * 0.05)
    assert (tmp_path / "state").read_bytes() == DATA
    transfer = it.transfer(now_s)
    assert (transfer.moved_bytes, transfer.link_bps) == (len(DATA), pytest.approx(20e6))


def test_an_unshaped_download_asks_for_a_window_at_once(tmp_path: Path) -> None:
    it, wire = download(tmp_path, Pacer(None, 0.0, 0.0))
    it.pump(0.0)
    [(fetch, _)] = wire
    assert isinstance(fetch, Fetch)
    assert fetch.credit_bytes == min(WINDOW_BYTES, len(DATA))
    it.close()


def stalls_of(it: Download | Upload, over_a_new_connection: Callable[[float], None]) -> list[float]:
    """When a transfer that hears nothing gives up its connection, by the times it wants to be called again."""
    now_s, stalls = 0.0, []
    while len(stalls) < 4:
        try:
            now_s += it.pump(now_s)
        except StalledError:
            stalls.append(now_s)
            over_a_new_connection(now_s)
    return stalls


def test_a_download_whose_chunks_never_come_wants_a_new_connection_after_twice_the_time_each(tmp_path: Path) -> None:
    it, wire = download(tmp_path, Pacer(None, 0.0, 0.0))
    assert stalls_of(it, it.go_on) == [STALL_S, 3 * STALL_S, 7 * STALL_S, 15 * STALL_S]
    assert [fetch.offset for fetch, _ in wire] == [0] * 4
    it.close()


def test_a_link_slower_than_its_patience_is_asked_for_each_byte_once(tmp_path: Path) -> None:
    # A chunk takes 4 KiB / 1 kbit/s = 33 s: longer than a stall.
    it, wire = download(tmp_path, Pacer(RateTrace(1e3, 1e3, 0.5), 0.0, 0.0))
    now_s, asked = 0.0, []
    while now_s < 400.0:
        wait_s = it.pump(now_s)
        asked += [fetch.offset for fetch, _ in wire]
        deliver(it, wire, now_s)
        now_s += wait_s
    assert len(asked) > 5
    assert asked == sorted(set(asked))
    it.close()


def test_over_a_new_connection_a_download_asks_for_what_did_not_come(tmp_path: Path) -> None:
    it, wire = download(tmp_path, Pacer(None, 0.0, 0.0))
    it.pump(0.0)
    it.arrived(0, memoryview(DATA)[:100_000], 0.5)
    wire.clear()
    it.go_on(60.0)
    it.pump(60.0)
    assert wire[0][0].offset == 100_000
    assert it.transfer(61.0).resumed_bytes == 0
    it.close()


def test_what_an_earlier_try_left_is_counted_apart(tmp_path: Path) -> None:
    partial_of(REF, tmp_path / "state").write_bytes(DATA[:1_000_000])
    wire = Wire()
    it = Download(Landing(REF, tmp_path / "state", resume=True), Pacer(None, 0.0, 0.0), wire.send, now_s=0.0)
    while not it.landed():
        it.pump(0.0)
        deliver(it, wire, 1.0)
    transfer = it.transfer(1.0)
    assert (transfer.resumed_bytes, transfer.moved_bytes) == (1_000_000, len(DATA) - 1_000_000)


OFFER = Offer(ref=TaskRef(round=1, client=3, attempt=1), blob=REF)


def upload(tmp_path: Path, trace: RateTrace | None) -> tuple[Upload, Wire]:
    (tmp_path / "update").write_bytes(DATA)
    wire = Wire()
    return Upload(OFFER, tmp_path / "update", lambda now_s: Pacer(trace, 0.0, now_s), wire.send, now_s=0.0), wire


def sent_by(wire: Wire) -> bytes:
    return b"".join(payload for _, payload in wire if payload)


def test_a_shaped_upload_takes_the_time_of_the_link_from_its_accept_on(tmp_path: Path) -> None:
    it, wire = upload(tmp_path, TWENTY_MBPS)
    it.offer(99.0)
    assert it.pump(99.0) == STALL_S
    it.take(Accept(sha256=REF.sha256, offset=0, credit_bytes=len(DATA)), now_s=100.0)
    now_s = 100.0
    while len(sent_by(wire)) < len(DATA):
        wait_s = it.pump(now_s)
        now_s += 0.0 if len(sent_by(wire)) == len(DATA) else wait_s
    assert now_s - 100.0 == pytest.approx(len(DATA) * 8 / 20e6)
    assert sent_by(wire) == DATA
    assert it.transfer(now_s).duration_s == now_s - 100.0
    it.close()


def test_an_upload_stops_where_its_credit_does(tmp_path: Path) -> None:
    it, wire = upload(tmp_path, None)
    it.take(Accept(sha256=REF.sha256, offset=0, credit_bytes=300_000), now_s=0.0)
    assert it.pump(0.0) == STALL_S
    assert len(sent_by(wire)) == 300_000
    it.take(Credit(sha256=REF.sha256, offset=300_000, limit=400_000), now_s=0.0)
    it.pump(0.0)
    assert wire[-1] == (Chunk(sha256=REF.sha256, offset=300_000), DATA[300_000:400_000])
    it.close()


def test_an_upload_that_arrived_damaged_goes_all_over_again(tmp_path: Path) -> None:
    it, wire = upload(tmp_path, None)
    accept = Accept(sha256=REF.sha256, offset=0, credit_bytes=len(DATA))
    it.take(accept, now_s=0.0)
    it.pump(0.0)
    it.take(Corrupt(sha256=REF.sha256, reason="hash"), now_s=1.0)
    it.take(accept, now_s=1.0)
    it.pump(1.0)
    assert len(sent_by(wire)) == 2 * len(DATA)
    it.close()


def test_an_upload_that_hears_nothing_wants_a_new_connection_after_twice_the_time_each(tmp_path: Path) -> None:
    it, wire = upload(tmp_path, None)
    it.offer(0.0)
    it.take(Accept(sha256=REF.sha256, offset=0, credit_bytes=300_000), now_s=0.0)
    assert stalls_of(it, it.offer) == [STALL_S, 3 * STALL_S, 7 * STALL_S, 15 * STALL_S]
    assert [message for message, _ in wire if message == OFFER] == [OFFER] * 5
    it.close()


def test_after_an_offer_is_said_again_it_goes_on_where_the_controller_says_and_not_before(tmp_path: Path) -> None:
    it, wire = upload(tmp_path, None)
    it.take(Accept(sha256=REF.sha256, offset=0, credit_bytes=600_000), now_s=0.0)
    it.pump(0.0)
    it.offer(30.0)
    wire.clear()
    it.take(Credit(sha256=REF.sha256, offset=300_000, limit=900_000), now_s=30.0)
    it.pump(30.0)
    assert wire == []
    it.take(Accept(sha256=REF.sha256, offset=400_000, credit_bytes=200_000), now_s=31.0)
    it.pump(31.0)
    assert wire == [(Chunk(sha256=REF.sha256, offset=400_000), DATA[400_000:600_000])]
    transfer = it.transfer(32.0)
    assert (transfer.duration_s, transfer.resumed_bytes) == (32.0, 0)
    it.close()


def test_what_the_controller_had_before_is_not_sent_and_counted_apart(tmp_path: Path) -> None:
    it, wire = upload(tmp_path, None)
    it.take(Accept(sha256=REF.sha256, offset=2_000_000, credit_bytes=len(DATA)), now_s=0.0)
    it.pump(0.0)
    assert sent_by(wire) == DATA[2_000_000:]
    assert it.transfer(1.0).resumed_bytes == 2_000_000
    it.close()


def test_an_update_that_is_there_already_took_no_time(tmp_path: Path) -> None:
    it, _ = upload(tmp_path, None)
    transfer = it.transfer(9.0)
    assert (transfer.duration_s, transfer.moved_bytes, transfer.resumed_bytes) == (0.0, 0, len(DATA))
    it.close()
