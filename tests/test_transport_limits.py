"""What may be read of a message that came: sizes, frames, and how many a second. The rules alone, then on sockets."""

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
import zmq

from harness.protocol.messages import MAX_CHUNK_BYTES, Goodbye
from harness.transport import Channel, Server, connect, listen
from harness.transport.limits import MAX_FRAME_BYTES, MAX_HEAD_BYTES, Rate, RateLimits, fault_of

BYE = Goodbye(agent="a1", reason="test")


@pytest.mark.parametrize(
    ("sizes_bytes", "fault"),
    [
        ([0], None),
        ([MAX_HEAD_BYTES, MAX_CHUNK_BYTES], None),
        ([], "frames"),
        ([1, 1, 1], "frames"),
        ([MAX_HEAD_BYTES + 1], "head"),
        ([1, MAX_CHUNK_BYTES + 1], "payload"),
    ],
)
def test_a_message_is_told_by_its_frames_alone(sizes_bytes: list[int], fault: str | None) -> None:
    assert fault_of(sizes_bytes) == fault


def test_a_connection_may_send_a_burst_and_then_so_many_a_second() -> None:
    limits = RateLimits(stranger=Rate(per_s=2, burst=3))
    assert [limits.allow("a", 0.0) for _ in range(4)] == [True, True, True, False]
    assert [limits.allow("a", 1.0) for _ in range(3)] == [True, True, False]
    assert limits.allow("b", 1.0)  # another one's flood is not this one's
    assert [limits.allow("a", 100.0) for _ in range(4)] == [True, True, True, False]


def test_a_known_agent_may_send_more() -> None:
    limits = RateLimits(known=Rate(per_s=10, burst=5), stranger=Rate(per_s=1, burst=1))
    assert [limits.allow("a", 0.0) for _ in range(2)] == [True, False]
    limits.known("a", 0.0)
    limits.known("a", 0.0)
    assert [limits.allow("a", 0.0) for _ in range(6)] == [True] * 5 + [False]


def test_saying_hello_again_fills_no_bucket() -> None:
    limits = RateLimits(known=Rate(per_s=1, burst=2))
    limits.known("a", 100.0)
    assert [limits.allow("a", 100.0) for _ in range(3)] == [True, True, False]
    limits.known("a", 100.0)
    assert not limits.allow("a", 100.0)


def test_no_number_of_strangers_takes_memory_or_a_known_agent_s_rate() -> None:
    limits = RateLimits(known=Rate(per_s=1, burst=2), stranger=Rate(per_s=1, burst=1), most=10)
    limits.known("a", 0.0)
    for number in range(1000):
        assert limits.allow(number, 0.0)
    assert len(limits) == 11
    assert [limits.allow("a", 0.0) for _ in range(3)] == [True, True, False]


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


@pytest.mark.parametrize(
    ("frames", "reason"),
    [
        ([b"x"] * 3, "frames"),
        ([b"x"] * 1000, "frames"),
        ([b"x" * (MAX_HEAD_BYTES + 1)], "head"),
        ([b"x", b"x" * (MAX_CHUNK_BYTES + 1)], "payload"),
    ],
)
def test_a_message_that_is_too_much_is_dropped_and_counted(
    server: Server, channel: Channel, frames: list[bytes], reason: str
) -> None:
    channel.socket.send_multipart(frames)
    channel.send(BYE)
    arrivals, _ = server.poll(30.0)
    assert len(arrivals) == 1
    assert server.refused == {reason: 1}


def test_a_frame_beyond_all_limits_ends_the_connection(server: Server, channel: Channel) -> None:
    channel.socket.send(bytes(MAX_FRAME_BYTES + 1))
    assert channel.monitor.poll(30_000)
    broke = False
    while not broke:
        assert server.poll(0.01)[0] == []
        broke = channel.broken()
    assert server.refused == {}


def test_a_flood_of_a_stranger_is_dropped_and_of_a_known_agent_is_not(server: Server, channel: Channel) -> None:
    channel.send(BYE)
    [first], _ = server.poll(30.0)
    for _ in range(2000):
        channel.send(BYE)
    read = 0
    while read + server.refused["rate"] < 2000:
        read += len(server.poll(1.0)[0])
    assert server.refused["rate"] > 0
    server.known(first.peer)
    dropped = server.refused["rate"]
    for _ in range(2000):
        channel.send(BYE)
    read = 0
    while read < 2000:
        read += len(server.poll(30.0)[0])
    assert server.refused["rate"] == dropped


def test_a_peer_that_floods_a_busy_controller_is_held_back_and_nothing_is_lost(server: Server) -> None:
    context = zmq.Context()
    flood = context.socket(zmq.DEALER)
    flood.setsockopt(zmq.SNDHWM, 1)
    flood.connect(server.endpoint)
    sent = 0
    while flood.poll(200, zmq.POLLOUT):  # until nothing moves: the controller holds no more
        flood.send_multipart([b"head", bytes(MAX_CHUNK_BYTES)])
        sent += 1
        assert sent < 1000, "nobody holds the sender back"
    read, limit_s = 0, time.monotonic() + 60.0
    while read + server.refused["rate"] < sent:  # a wait in which all that came was dropped brings nothing
        assert time.monotonic() < limit_s, f"{sent} were sent, {read} came"
        read += len(server.poll(1.0)[0])
    assert read
    context.destroy(linger=0)


def test_a_server_has_descriptors_for_many_connections() -> None:
    code = (
        "import resource; from harness.transport import listen; hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]; "
        "resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard)); server = listen(); "
        "print(resource.getrlimit(resource.RLIMIT_NOFILE)[0] == min(hard, 8192)); server.close(0)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "True\n"
