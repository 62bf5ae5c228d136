"""Who may ask the helper."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.shaping.peers import Peer, group_id, may_ask, open_to, peer_of


def test_a_peer_is_who_the_kernel_says() -> None:
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with near, far:
        peer = peer_of(near)
    assert (peer.pid, peer.uid) == (os.getpid(), os.geteuid())
    assert peer.gids == frozenset((os.getegid(), *os.getgroups()))


def test_root_the_helpers_own_user_and_its_group_may_ask() -> None:
    assert may_ask(Peer(1, 0, frozenset()), own_uid=500, gid=None)
    assert may_ask(Peer(1, 500, frozenset()), own_uid=500, gid=None)
    assert may_ask(Peer(1, 1000, frozenset((1000, 77))), own_uid=500, gid=77)
    assert not may_ask(Peer(1, 1000, frozenset((1000,))), own_uid=500, gid=77)
    assert not may_ask(Peer(1, 1000, frozenset((1000,))), own_uid=500, gid=None)


def test_a_socket_is_its_groups_or_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    path.touch()
    open_to(path, None)
    assert path.stat().st_mode & 0o777 == 0o600
    open_to(path, os.getegid())
    assert path.stat().st_mode & 0o777 == 0o660


def test_an_unknown_group_is_named() -> None:
    with pytest.raises(UsageError, match="there is no group 'no-such-group'; make it"):
        group_id("no-such-group")
