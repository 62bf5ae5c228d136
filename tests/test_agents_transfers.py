"""All transfers of an agent over a fake line that keeps what is sent."""

from pathlib import Path

import pytest
from stub_controller import FREE, blob

from agents.cache import AgentCache
from agents.steps import BaseCached, BlobLanded, TransferFailed, UpdateAcknowledged
from agents.transfers import Transfers
from harness.protocol.messages import Accept, Chunk, Fetch, Offer, Provision, Received, TaskRef

DATA = b"state" * 1000
REF = blob("state", DATA)
PROVISION = Provision(base=(), shards=(), init=None, prepare={}, link=FREE, link_seed=0)
TASK = TaskRef(round=1, client=3, attempt=1)


class FakeLine:
    wire_bytes = 77

    def __init__(self) -> None:
        self.sent: list[object] = []

    def send(self, message: object, payload: bytes | None = None) -> None:
        self.sent.append(message)


@pytest.fixture
def line() -> FakeLine:
    return FakeLine()


@pytest.fixture
def cache(tmp_path: Path):
    made = AgentCache(tmp_path, "a1", "tcp://h:1")
    yield made
    made.close()


@pytest.fixture
def transfers(line: FakeLine, cache: AgentCache) -> Transfers:
    return Transfers(line, cache, lambda: 5.0)


def chunk(data: bytes) -> tuple[Chunk, memoryview]:
    return Chunk(sha256=REF.sha256, offset=0), memoryview(data)


def test_a_cache_that_holds_all_needs_no_fetch(transfers: Transfers, cache: AgentCache, line: FakeLine) -> None:
    cache.blobs.path(REF.sha256).write_bytes(DATA)
    transfers.fill_cache((REF, REF))
    assert [transfers.pump() for _ in range(3)] == [([], 0.0), ([], 0.0), ([BaseCached(at_s=5.0)], 0.0)]
    assert line.sent == []


def test_what_the_cache_lacks_is_fetched(transfers: Transfers, cache: AgentCache, line: FakeLine) -> None:
    transfers.fill_cache((REF,))
    transfers.pump()
    transfers.pump()
    assert [type(message) for message in line.sent] == [Fetch]
    assert transfers.take(*chunk(DATA)) == []
    assert [transfers.pump()[0], transfers.pump()[0]] == [[], [BaseCached(at_s=5.0)]]
    assert cache.blobs.holds(REF)


def test_a_state_is_fetched_even_if_an_equal_one_is_cached(
    transfers: Transfers, cache: AgentCache, line: FakeLine
) -> None:
    cache.blobs.path(REF.sha256).write_bytes(DATA)
    assert transfers.fetch(REF, PROVISION, TASK) == []
    transfers.pump()
    assert len(line.sent) == 1
    transfers.take(*chunk(DATA))
    [fact], _ = transfers.pump()
    assert isinstance(fact, BlobLanded)
    assert cache.state.read_bytes() == DATA


def test_chunks_of_another_blob_change_nothing(transfers: Transfers) -> None:
    assert transfers.take(Chunk(sha256="0" * 64, offset=0), memoryview(b"x")) == []


def test_a_chunk_that_makes_no_sense_ends_the_transfer(transfers: Transfers) -> None:
    transfers.fetch(REF, PROVISION, TASK)
    transfers.pump()
    [fact] = transfers.take(*chunk(DATA + b"more"))
    assert isinstance(fact, TransferFailed)
    assert "beyond its 5000 bytes" in fact.reason
    assert transfers.pump() == ([], None)


def test_a_file_that_cannot_be_written_is_named(transfers: Transfers, cache: AgentCache) -> None:
    folder = cache.update.parent
    folder.rmdir()
    folder.write_text("a file where the folder was")
    [fact] = transfers.fetch(REF, PROVISION, TASK)
    assert str(folder) in fact.reason
    folder.unlink()


def test_an_update_is_offered_sent_and_acknowledged(transfers: Transfers, cache: AgentCache, line: FakeLine) -> None:
    cache.update.write_bytes(DATA)
    offer = Offer(ref=TASK, blob=REF)
    transfers.offer(offer, PROVISION)
    transfers.take(Accept(sha256=REF.sha256, offset=0, credit_bytes=len(DATA)), None)
    transfers.pump()
    assert line.sent == [offer, Chunk(sha256=REF.sha256, offset=0)]
    [fact] = transfers.take(Received(sha256=REF.sha256), None)
    assert isinstance(fact, UpdateAcknowledged)
    assert (fact.wire_bytes, fact.transfer.moved_bytes) == (77, len(DATA))


def test_a_dropped_upload_hears_nothing_more(transfers: Transfers, cache: AgentCache) -> None:
    cache.update.write_bytes(DATA)
    transfers.offer(Offer(ref=TASK, blob=REF), PROVISION)
    transfers.drop()
    assert transfers.take(Received(sha256=REF.sha256), None) == []


def test_while_no_connection_stands_nothing_is_said_and_then_all_goes_on(
    transfers: Transfers, cache: AgentCache, line: FakeLine
) -> None:
    transfers.pause()
    transfers.fetch(REF, PROVISION, TASK)
    assert transfers.pump() == ([], None)
    transfers.resume()
    transfers.pump()
    assert [type(message) for message in line.sent] == [Fetch]
    transfers.drop()
    line.sent.clear()
    cache.update.write_bytes(DATA)
    offer = Offer(ref=TASK, blob=REF)
    transfers.pause()
    transfers.offer(offer, PROVISION)
    assert line.sent == []
    transfers.resume()
    assert line.sent == [offer]
    transfers.drop()


def test_of_a_state_that_came_in_part_only_the_rest_is_fetched(
    transfers: Transfers, cache: AgentCache, line: FakeLine
) -> None:
    transfers.fetch(REF, PROVISION, TASK)
    transfers.pump()
    transfers.take(*chunk(DATA[:2000]))
    transfers.drop()
    transfers.fetch(REF, PROVISION, TASK)
    transfers.pump()
    assert line.sent[-1].offset == 2000
    transfers.drop()
