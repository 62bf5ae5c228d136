"""Real sockets on loopback."""

import os
import socket
import time
from collections.abc import Iterator

import pytest
import zmq

from harness.errors import TransportError
from harness.protocol.codec import decode_to_agent, decode_to_controller
from harness.protocol.messages import (
    Beat,
    BeatEcho,
    Chunk,
    Goodbye,
    Stop,
)
from harness.transport import Channel, Server, connect, listen, wait, wire_bytes_of
from harness.transport.wire import configure

BYE = Goodbye(agent="a1", reason="test")
SHA = "0" * 64


@pytest.fixture
def server() -> Iterator[Server]:
    server = listen()
    yield server
    server.close(0)


@pytest.fixture
def channel(server: Server) -> Iterator[Channel]:
    channel = connect(server.endpoint)
    yield channel
    channel.close(0)


def arrival_at(server: Server):
    arrivals, _ = server.poll(30.0)
    [arrival] = arrivals
    return arrival


def reply_at(channel: Channel):
    wait([channel.socket], [], 30.0)
    [arrival] = channel.receive()
    return arrival


def test_a_message_and_its_answer(server: Server, channel: Channel) -> None:
    channel.send(BYE)
    arrival = arrival_at(server)
    assert decode_to_controller(arrival.head) == BYE
    assert not arrival.beat
    assert arrival.payload is None
    assert server.send(arrival.peer, Stop(reason="done"))
    assert decode_to_agent(reply_at(channel).head) == Stop(reason="done")


def test_a_connection_that_dies_unseen_is_noticed_within_a_minute() -> None:
    """The kernel's own limits are 11 minutes for one that idles, and 15 for one that sends."""
    with zmq.Context() as context, context.socket(zmq.ROUTER) as router, context.socket(zmq.DEALER) as dealer:
        for end in (router, dealer):
            configure(end)
        dealer.connect(f"tcp://127.0.0.1:{router.bind_to_random_port('tcp://127.0.0.1')}")
        dealer.send(b"x")
        fd = router.recv_multipart(copy=False)[-1].get(zmq.SRCFD)
        with socket.socket(fileno=os.dup(fd)) as own:
            idle_s, every_s, times, unheard_ms = (
                own.getsockopt(socket.IPPROTO_TCP, option)
                for option in (
                    socket.TCP_KEEPIDLE,
                    socket.TCP_KEEPINTVL,
                    socket.TCP_KEEPCNT,
                    socket.TCP_USER_TIMEOUT,
                )
            )
        assert (idle_s + every_s * times, unheard_ms) == (60, 60_000)


def test_bytes_travel_in_a_frame_of_their_own_and_all_are_counted(server: Server, channel: Channel) -> None:
    data = os.urandom(200_000)
    channel.send(Chunk(sha256=SHA, offset=0), data)
    arrival = arrival_at(server)
    assert bytes(arrival.payload) == data
    assert arrival.wire_bytes == channel.sent_wire_bytes == len(arrival.head) + 2 + 200_000 + 9
    server.send(arrival.peer, Stop(reason="done"))
    assert reply_at(channel).wire_bytes == channel.received_wire_bytes


def test_a_frame_costs_two_bytes_or_nine() -> None:
    assert wire_bytes_of(bytes(255)) == 257
    assert wire_bytes_of(bytes(256), b"") == 256 + 9 + 2


def test_heartbeats_have_a_socket_of_their_own(server: Server) -> None:
    host = server.endpoint.rpartition(":")[0]
    beats = connect(f"{host}:{server.beat_port}")
    beats.send(Beat(agent="a1", session="0" * 16, number=1, doing="idle"))
    arrival = arrival_at(server)
    assert arrival.beat
    assert server.send(arrival.peer, BeatEcho(number=1), beat=True)
    assert reply_at(beats).head
    beats.close(0)


def test_a_peer_that_is_gone_is_told_apart(server: Server) -> None:
    assert not server.send(b"nobody", Stop(reason="done"))


def test_a_message_of_too_many_frames_is_dropped(server: Server, channel: Channel) -> None:
    channel.socket.send_multipart([b"x"] * 3)
    channel.send(BYE)
    seen = []
    while not seen:
        seen, _ = server.poll(30.0)
    assert [decode_to_controller(arrival.head) for arrival in seen] == [BYE]
    assert server.refused == {"frames": 1}


def test_another_descriptor_ends_the_wait(server: Server) -> None:
    readable, writable = os.pipe()
    os.write(writable, b"!")
    arrivals, ready = server.poll(30.0, [readable])
    assert (arrivals, ready) == ([], {readable})
    for fd in (readable, writable):
        os.close(fd)


def test_a_port_in_use_is_named_with_what_to_do(server: Server) -> None:
    with pytest.raises(TransportError) as caught:
        listen(server.endpoint)
    expected = f"{server.endpoint} is in use by another process; choose another with --bind or stop it"
    assert str(caught.value) == expected


@pytest.mark.parametrize("endpoint", ["tcp://192.0.2.1:5555", "nonsense", "tcp://127.0.0.1:notaport"])
def test_an_endpoint_that_cannot_be_bound_is_named(endpoint: str) -> None:
    with pytest.raises(TransportError, match=endpoint):
        listen(endpoint)


def test_an_endpoint_that_is_none_is_named() -> None:
    with pytest.raises(TransportError, match="'nonsense' is not an endpoint"):
        connect("nonsense")


def test_a_port_is_free_again_once_closed() -> None:
    first = listen()
    first.close(0)
    first.close(0)
    listen(first.endpoint).close(0)


def test_an_agent_notices_that_the_connection_broke(server: Server, channel: Channel) -> None:
    channel.send(BYE)
    arrival_at(server)
    assert not channel.broken()
    server.close(0)
    wait([channel.monitor], [], 30.0)
    assert channel.broken()
    assert not channel.broken()


def test_a_message_tells_when_it_was_taken_and_where_it_comes_from(server: Server, channel: Channel) -> None:
    before_s = time.monotonic()
    channel.send(BYE)
    arrival = arrival_at(server)
    assert arrival.address == "127.0.0.1"
    assert arrival.at_s is not None
    assert before_s < arrival.at_s < time.monotonic()
    server.send(arrival.peer, Stop(reason="done"))
    assert reply_at(channel).address == "127.0.0.1"
