"""A peer lets go of the file its update lands in, whatever ends the task."""

from __future__ import annotations

from pathlib import Path

import pytest
from stub_controller import blob

from harness.blobs import Landing
from harness.fleets.peers import Peer, Peers
from harness.protocol.messages import LeanState, Task, TaskRef
from harness.tensorfile import Layout

DATA = b"an update"
LAYOUT = Layout(())


def order(round: int) -> Task:
    return Task(ref=TaskRef(round=round, client=3, attempt=1), state=blob("state", b""), seed=1)


@pytest.fixture
def peer(tmp_path: Path) -> Peer:
    """An agent in the middle of an upload."""
    peer = Peer(id=b"1", name="a", host="here", seen_s=0.0)
    peer.begin(order(1), tmp_path / "update", LAYOUT)
    peer.landing = Landing(blob("update", DATA), tmp_path / "update", resume=True)
    peer.landing.arrived(0, DATA[:4])
    return peer


def partial_is_free(peer: Peer, folder: Path) -> bool:
    """Whether another landing finds what landed in part: it has a file of its own while that one is held."""
    landing = Landing(blob("update", DATA), folder / "update", resume=True)
    landing.close()
    return landing.incoming.landed_bytes == 4


def test_a_task_that_ends_frees_the_partial_file(peer: Peer, tmp_path: Path) -> None:
    assert not partial_is_free(peer, tmp_path)
    peer.end()
    assert partial_is_free(peer, tmp_path)
    assert (peer.task, peer.update, peer.layout, peer.landing, peer.landed) == (None, None, None, None, None)


def test_a_new_task_and_a_loss_free_it_too(peer: Peer, tmp_path: Path) -> None:
    peers = Peers()
    peers.add(peer)
    peers.remove(peer)
    assert partial_is_free(peer, tmp_path)
    peer.landing = Landing(blob("update", DATA), tmp_path / "update", resume=True)
    peer.begin(order(2), tmp_path / "other", LAYOUT)
    assert partial_is_free(peer, tmp_path)


def test_a_download_is_known_by_what_was_asked_for(peer: Peer, tmp_path: Path) -> None:
    state, lean = blob("state", b"whole"), blob("lean", b"tip")
    less = LeanState(blob=lean, since="0" * 64)
    peer.begin(Task(ref=TaskRef(round=2, client=3, attempt=1), state=state, seed=1, lean=less), tmp_path / "u", LAYOUT)
    assert peer.downloads_bytes == {5, 3}, "it may have finished the task before"
    assert not peer.fetches(blob("shard", b"a shard").sha256)
    assert peer.fetches(lean.sha256)
    assert peer.downloads_bytes == {3}
    assert peer.fetches(state.sha256)
    assert peer.downloads_bytes == {5, 3}
    peer.begin(order(3), tmp_path / "update", LAYOUT)
    assert peer.downloads_bytes == {0}


def test_peers_are_found_by_id_and_by_name_and_may_go_while_they_are_counted_off() -> None:
    peers = Peers()
    for name in ("a", "b"):
        peers.add(Peer(id=name.encode(), name=name, host="here", seen_s=1.0))
    assert (peers.get(b"a"), peers.named("b"), peers.named("c")) == (peers.named("a"), peers.get(b"b"), None)
    peers.forgive(2.5, now_s=3.2)
    assert [peer.seen_s for peer in peers] == [3.2, 3.2], "nobody was heard in the future"
    for peer in peers:
        peers.remove(peer)
    assert len(peers) == 0


def test_an_agent_over_a_new_connection_is_the_same_peer_with_all_that_is_under_way(peer: Peer) -> None:
    peers = Peers()
    peers.add(peer)
    peers.rekey(peer, b"2")
    assert (peers.get(b"1"), peers.get(b"2"), peer.id, len(peers)) == (None, peer, b"2", 1)
    assert peer.task == order(1).ref
    assert peer.landing is not None
    assert peer.landing.incoming.landed_bytes == 4
    peer.end()
