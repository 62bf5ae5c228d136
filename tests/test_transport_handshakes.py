"""Handshakes that fail are counted: real sockets on loopback."""

from __future__ import annotations

import socket
from collections.abc import Callable

from harness.protocol.messages import Goodbye
from harness.transport import CurveClient, CurveServer, Server, connect, listen, new_pair
from harness.transport.handshakes import LONGEST_S

BYE = Goodbye(agent="a1", reason="test")


def until(server: Server, fact: Callable[[], object]) -> None:
    """Have the server work until a fact is true."""
    assert any(fact() or server.poll(0.01)[0] for _ in range(3000)), f"waited in vain; refused {server.refused}"


def test_who_speaks_without_a_key_is_counted_where_keys_are_asked_for() -> None:
    pair = new_pair()
    server = listen(security=CurveServer(new_pair(), lambda: {pair.public: "a1"}))
    plain = connect(server.endpoint)
    plain.send(BYE)
    until(server, lambda: server.refused["handshake"] > 0)
    assert server.refused["key"] == 0
    plain.close(0)
    server.close(0)


def test_who_speaks_with_a_key_where_none_is_is_counted() -> None:
    server = listen()
    client = connect(server.endpoint, CurveClient("a1", new_pair(), new_pair().public))
    client.send(BYE)
    until(server, lambda: server.refused["handshake"] > 0)
    client.close(0)
    server.close(0)


def test_a_damaged_handshake_is_counted_on_the_heartbeat_socket_too() -> None:
    server = listen()
    greeting = b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32)
    with socket.create_connection(("127.0.0.1", server.beat_port)) as stranger:
        stranger.sendall(greeting + b"\x04\x19\x05HELLO" + bytes(19))
        until(server, lambda: server.refused["handshake"] > 0)
    server.close(0)


def test_an_agent_that_gets_in_counts_for_nothing() -> None:
    server = listen()
    agent = connect(server.endpoint)
    agent.send(BYE)
    arrivals = next(found for _ in range(3000) if (found := server.poll(0.01)[0]))
    assert len(arrivals) == 1
    agent.close(0)
    server.poll(LONGEST_S + 0.5)
    assert server.refused == {}
    server.close(0)


def test_a_key_that_is_not_allowed_is_no_failed_handshake_besides() -> None:
    server = listen(security=CurveServer(own := new_pair(), dict))
    stranger = connect(server.endpoint, CurveClient("a1", new_pair(), own.public))
    stranger.send(BYE)
    until(server, lambda: server.refused["key"] > 0)
    server.poll(LONGEST_S + 0.5)
    assert server.refused["handshake"] == 0
    stranger.close(0)
    server.close(0)
