"""Downloads and uploads on a fake clock: bytes and seconds agree with the link."""

from pathlib import Path

import pytest
from stub_controller import blob

from agents.shaping import STALL_S, Download, Upload
from harness.blobs import Landing
from harness.links import Pacer, RateTrace
from harness.protocol.messages import Accept, Chunk, Corrupt, Credit, Fetch
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


def test_chunks_that_never_came_are_asked_for_again(tmp_path: Path) -> None:
    it, wire = download(tmp_path, Pacer(None, 0.0, 0.0))
    assert it.pump(0.0) == STALL_S
    wire.clear()
    it.pump(STALL_S + 1)
    assert wire[0][0].offset == 0
    it.close()


def upload(tmp_path: Path, trace: RateTrace | None) -> tuple[Upload, Wire]:
    (tmp_path / "update").write_bytes(DATA)
    wire = Wire()
    return Upload(REF, tmp_path / "update", lambda now_s: Pacer(trace, 0.0, now_s), wire.send), wire


def test_a_shaped_upload_takes_the_time_of_the_link_from_its_accept_on(tmp_path: Path) -> None:
    it, wire = upload(tmp_path, TWENTY_MBPS)
    assert it.pump(0.0) is None
    it.take(Accept(sha256=REF.sha256, offset=0, credit_bytes=len(DATA)), now_s=100.0)
    now_s = 100.0
    while (wait_s := it.pump(now_s)) is not None:
        now_s += wait_s
    assert now_s - 100.0 == pytest.approx(len(DATA) * 8 / 20e6)
    assert b"".join(payload for _, payload in wire) == DATA
    assert it.transfer(now_s).duration_s == now_s - 100.0
    it.close()


def test_an_upload_stops_where_its_credit_does(tmp_path: Path) -> None:
    it, wire = upload(tmp_path, None)
    it.take(Accept(sha256=REF.sha256, offset=0, credit_bytes=300_000), now_s=0.0)
    assert it.pump(0.0) is None
    assert sum(len(payload) for _, payload in wire) == 300_000
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
    assert sum(len(payload) for _, payload in wire) == 2 * len(DATA)
    it.close()
