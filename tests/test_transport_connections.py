"""Cutting a connection by its descriptor, and never another's."""

import os
import socket
from dataclasses import replace

import pytest
import zmq

from harness.transport.connections import MOST_OF_A_KEY, Connection, Connections


@pytest.fixture
def pair():
    listener = socket.create_server(("127.0.0.1", 0))
    near = socket.create_connection(listener.getsockname())
    far, _ = listener.accept()
    yield near, far
    for end in (listener, near, far):
        end.close()


def drained(near: socket.socket) -> int:
    read = 0
    while data := near.recv(1_000_000):
        read += len(data)
    return read


class Frame:
    """A frame, as far as it tells where it came from."""

    def __init__(self, own: socket.socket) -> None:
        self._facts = {zmq.SRCFD: own.fileno(), "Peer-Address": "127.0.0.1"}

    def get(self, what):
        return self._facts[what]


def connection(own: socket.socket) -> Connection:
    return Connection(own.fileno(), os.fstat(own.fileno()).st_ino, "127.0.0.1", 1)


def is_open(near: socket.socket, far: socket.socket) -> bool:
    far.send(b"!")
    near.settimeout(30)
    return near.recv(1) == b"!"


def test_it_is_ended_with_all_that_was_still_to_be_sent(pair) -> None:
    near, far = pair
    far.setblocking(False)
    while far.send(bytes(1_000_000)) == 1_000_000:
        pass
    assert connection(far).cut()
    far.close()
    near.settimeout(30)
    with pytest.raises(ConnectionResetError):
        drained(near)


@pytest.mark.parametrize("change", [{"inode": 1}, {"address": "192.0.2.1"}])
def test_a_descriptor_that_is_another_s_by_now_is_left_alone(pair, change: dict[str, object]) -> None:
    near, far = pair
    assert not replace(connection(far), **change).cut()
    assert is_open(near, far)


def test_a_descriptor_that_is_closed_or_a_file_is_no_error(pair, tmp_path) -> None:
    _, far = pair
    gone = connection(far)
    fd = far.fileno()
    far.close()
    assert not gone.cut()
    file = os.open(tmp_path / "file", os.O_CREAT | os.O_RDWR)
    if file != fd:
        os.dup2(file, fd)
        os.close(file)
    assert not gone.cut()
    os.close(fd)


def test_a_key_s_connections_are_cut_and_forgotten(pair) -> None:
    near, far = pair
    connections = Connections()
    connections.note("line", "key", Frame(far))
    assert connections.user_of("line") == "key"
    assert connections.cut("key") == 1
    assert connections.user_of("line") is None
    assert connections.cut("key") == 0
    assert near.recv(1) == b""


def test_a_message_that_is_read_late_does_not_have_its_successor_cut(pair) -> None:
    near, far = pair
    connections = Connections()
    connections.note("old", "revoked", Frame(far))  # its connection is gone, and the descriptor is another's
    connections.note("new", "good", Frame(far))
    assert connections.cut("revoked") == 0
    assert is_open(near, far)
    assert connections.cut("good") == 1


def test_a_line_belongs_to_the_key_that_spoke_over_it_last_and_a_key_fills_no_memory(pair) -> None:
    _, far = pair
    connections = Connections()
    connections.note(0, "a", Frame(far))
    connections.note(0, "b", Frame(far))
    assert connections.user_of(0) == "b"
    for line in range(1, MOST_OF_A_KEY + 10):
        connections.note(line, "a", Frame(far))
    assert connections.user_of(1) is None
    assert connections.user_of(0) == "b"


def test_no_descriptor_is_kept(pair) -> None:
    _, far = pair
    before = len(os.listdir("/proc/self/fd"))
    replace(connection(far), address="192.0.2.1").cut()
    connection(far).cut()
    assert len(os.listdir("/proc/self/fd")) == before
