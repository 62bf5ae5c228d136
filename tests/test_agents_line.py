"""A line over real sockets, with a clock of the test's own."""

from collections.abc import Iterator

import pytest

from agents.line import JOIN_S, RETRY_S, Line
from harness.protocol.codec import decode_beat
from harness.protocol.messages import (
    BeatEcho,
    Goodbye,
    Telemetry,
    Welcome,
)
from harness.transport import Server, listen

BYE = Goodbye(agent="a1", reason="test")


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def server() -> Iterator[Server]:
    server = listen()
    yield server
    server.close(0)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def line(server: Server, clock: Clock) -> Iterator[Line]:
    line = Line(server.endpoint, "a1", "0" * 16, clock)
    yield line
    line.close(0)


def start_heart(line: Line, server: Server) -> None:
    line.start_heart(Welcome(run_id="r", beat_port=server.beat_port, heartbeat_s=1.0, lost_after_s=8.0))


def test_a_new_connection_has_a_new_routing_id(line: Line, server: Server) -> None:
    line.send(BYE)
    [first], _ = server.poll(30.0)
    line.reopen()
    line.send(BYE)
    [second], _ = server.poll(30.0)
    assert first.peer != second.peer
    assert line.wire_bytes == first.wire_bytes + second.wire_bytes


def test_who_gets_no_answer_to_its_hello_tries_again(line: Line, server: Server, clock: Clock) -> None:
    clock.now_s += JOIN_S - 1
    assert line.tend("joining") is None
    clock.now_s += 2
    assert line.tend("joining") == f"the controller at {server.endpoint} did not answer"


def test_beats_are_sent_and_their_echo_is_heard(line: Line, server: Server, clock: Clock) -> None:
    start_heart(line, server)
    for second in range(20):
        clock.now_s = 100.0 + second
        assert line.tend("idle") is None
        [beat], _ = server.poll(30.0)
        assert decode_beat(beat.head).number == second + 1
        server.send(beat.peer, BeatEcho(number=second + 1), beat=True)
        line.wait([], 30.0)


def test_echoes_tell_how_the_clocks_are_apart_once(line: Line, server: Server, clock: Clock) -> None:
    start_heart(line, server)
    line.tend("idle")
    [beat], _ = server.poll(30.0)
    server.send(beat.peer, BeatEcho(number=1, beat_sent_s=100.0, received_s=7.0, sent_s=7.0), beat=True)
    clock.now_s += 0.5
    while not (exchanges := line.exchanges()):
        line.wait([], 30.0)
        line.tend("idle")
    assert [(it.offset_s, it.rtt_s) for it in exchanges] == [(-93.25, 0.5)]
    assert line.exchanges() == []


def test_what_goes_beside_the_rounds_is_not_counted(line: Line, server: Server) -> None:
    line.send(BYE)
    before_bytes = line.wire_bytes
    line.send_beside(Telemetry(source="psutil", fields=("at_s",), rows=((1.0,),)))
    assert line.wire_bytes == before_bytes
    line.reopen()
    assert line.wire_bytes == before_bytes


def test_a_word_that_is_due_and_not_said_makes_a_line_late(line: Line, server: Server, clock: Clock) -> None:
    clock.now_s += JOIN_S + 3
    assert line.late_s(clock.now_s) == 3.0
    start_heart(line, server)
    line.tend("idle")
    clock.now_s += 5.0
    assert line.late_s(clock.now_s) == 4.0


def test_beats_tell_over_which_connection_hello_was_said(line: Line, server: Server, clock: Clock) -> None:
    line.reopen()
    line.reopen()
    start_heart(line, server)
    line.tend("idle")
    [beat], _ = server.poll(30.0)
    assert decode_beat(beat.head).connection == line.connection == 3


def test_without_echoes_the_controller_counts_as_lost(line: Line, server: Server, clock: Clock) -> None:
    start_heart(line, server)
    reasons = []
    for second in range(10):
        clock.now_s = 100.0 + second
        reasons.append(line.tend("idle"))
    assert reasons == [None] * 9 + ["the controller was silent for too long"]


def echo(line: Line, server: Server, known: bool) -> None:
    [beat], _ = server.poll(30.0)
    server.send(beat.peer, BeatEcho(number=1, known=known), beat=True)
    line.wait([], 30.0)


def test_who_is_not_known_any_more_connects_again_at_once(line: Line, server: Server, clock: Clock) -> None:
    start_heart(line, server)
    clock.now_s += 5.0
    line.tend("idle")
    echo(line, server, known=False)
    while (reason := line.tend("idle")) is None:  # the wait may have ended for news of the main socket
        line.wait([], 30.0)
    assert reason == "the controller does not know this agent any more"


def test_a_connection_that_is_new_is_left_a_moment_to_be_known(line: Line, server: Server, clock: Clock) -> None:
    start_heart(line, server)
    line.tend("idle")
    echo(line, server, known=False)
    assert line.tend("idle") is None


def test_a_connection_that_breaks_before_the_answer_is_tried_again_soon(
    line: Line, server: Server, clock: Clock
) -> None:
    line.send(BYE)
    server.poll(30.0)
    line.tend("joining")
    server.close(0)
    line.wait([], 30.0)
    assert line.tend("joining") is None
    clock.now_s += RETRY_S + 0.1
    assert line.tend("joining") == f"the controller at {server.endpoint} did not answer"
