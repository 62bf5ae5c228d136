"""Who gets in, and who is cut off: real sockets on loopback, with keys."""

import contextlib
import socket
from collections.abc import Callable, Iterator

import pytest

from harness.protocol.codec import decode_to_agent, decode_to_controller
from harness.protocol.messages import Beat, Chunk, Goodbye, Stop
from harness.transport import Channel, CurveClient, CurveServer, KeyPair, Server, connect, listen, new_pair, pair_of
from harness.transport.admission import MOST_NAMED

BYE = Goodbye(agent="a1", reason="test")
SHA = "0" * 64
GREETING_BYTES = 64


class Secured:
    """A server with a list that a test may change, and channels of keys of its choice."""

    def __init__(self) -> None:
        self.own, self.agent, self.other = new_pair(), new_pair(), new_pair()
        self.names = {self.agent.public: "a1", self.other.public: "b1"}
        self.server: Server = listen(security=CurveServer(self.own, lambda: self.names))
        self.channels: list[Channel] = []
        self.seen: list = []

    def connect(self, pair: KeyPair | None, port: int | None = None, controller: str | None = None) -> Channel:
        host = self.server.endpoint.rpartition(":")[0]
        security = CurveClient("a1", pair, controller or self.own.public) if pair else None
        self.channels.append(connect(f"{host}:{port}" if port else self.server.endpoint, security))
        return self.channels[-1]

    def until(self, fact: Callable[[], object]) -> None:
        for _ in range(3000):
            arrivals, _ = self.server.poll(0.01)
            self.seen += arrivals
            if fact():
                return
        raise AssertionError(f"waited in vain; so far {self.seen}, refused {self.server.refused}")

    def refusal_of(self, channel: Channel) -> str:
        said: list[str] = []
        self.until(lambda: said.extend(filter(None, [channel.refused()])) or said)
        return said[0]

    def close(self) -> None:
        for channel in self.channels:
            channel.close(0)
        self.server.close(0)


@pytest.fixture
def secured() -> Iterator[Secured]:
    secured = Secured()
    yield secured
    secured.close()


def test_an_allowed_key_gets_in_and_is_told_by_its_messages(secured: Secured) -> None:
    channel = secured.connect(secured.agent)
    channel.send(BYE)
    secured.until(lambda: secured.seen)
    [arrival] = secured.seen
    assert decode_to_controller(arrival.head) == BYE
    assert arrival.user == secured.agent.public
    assert secured.server.name_of(arrival.user) == "a1"
    assert secured.server.send(arrival.peer, Stop(reason="done"))
    heard: list = []
    secured.until(lambda: heard.extend(channel.receive()) or heard)
    assert decode_to_agent(heard[0].head) == Stop(reason="done")
    assert channel.refused() is None


@pytest.mark.parametrize("socket", ["main", "beat"])
def test_an_unknown_key_hears_that_it_is_not_allowed_and_sends_nothing(secured: Secured, socket: str) -> None:
    stranger = new_pair()
    channel = secured.connect(stranger, secured.server.beat_port if socket == "beat" else None)
    channel.send(BYE)
    said = secured.refusal_of(channel)
    allow_it = f"federa-bench keys allow 'a1 {stranger.public}'"
    assert said == f"the controller does not allow this agent's key; allow it there: {allow_it}"
    assert secured.seen == []
    assert secured.server.refused == {"key": 1}


def test_a_plain_agent_is_told_that_keys_are_asked_for(secured: Secured) -> None:
    channel = secured.connect(None)
    said = secured.refusal_of(channel)
    assert said == "the controller takes only agents with keys; make one with: federa-bench keys new NAME"


def test_an_agent_with_keys_is_told_that_the_controller_has_none(secured: Secured) -> None:
    plain = listen()
    channel = connect(plain.endpoint, CurveClient("a1", secured.agent, secured.own.public))
    secured.channels.append(channel)
    said = secured.refusal_of(channel)
    assert "does not encrypt" in said  # which of two sentences depends on who hangs up first
    plain.close(0)


def test_an_impostor_of_the_controller_is_noticed(secured: Secured) -> None:
    channel = secured.connect(secured.agent, controller=secured.other.public)
    said = secured.refusal_of(channel)
    assert "it has another key than the one given here" in said


def test_a_revoked_key_is_cut_off_in_the_middle_and_the_other_agent_is_not(secured: Secured) -> None:
    cut, kept = secured.connect(secured.agent), secured.connect(secured.other)
    for channel in (cut, kept):
        channel.send(BYE)
    secured.until(lambda: len(secured.seen) == 2)
    peers = {arrival.user: arrival.peer for arrival in secured.seen}
    for _ in range(400):  # a transfer that is under way, both ways
        cut.send(Chunk(sha256=SHA, offset=0), bytes(250_000))
        assert secured.server.send(peers[secured.agent.public], Chunk(sha256=SHA, offset=0), bytes(250_000))
    del secured.names[secured.agent.public]
    secured.names = dict(secured.names)
    revoked: set[str] = set()
    secured.until(lambda: revoked.update(secured.server.newly_revoked()) or revoked)
    seen = len(secured.seen)
    assert revoked == {secured.agent.public}
    assert not secured.server.send(peers[secured.agent.public], Stop(reason="done"))
    said = secured.refusal_of(cut)
    assert cut.broken()
    assert "does not allow this agent's key" in said
    kept.send(BYE)
    secured.until(lambda: len(secured.seen) > seen)
    assert [arrival.user for arrival in secured.seen[seen:]] == [secured.other.public]
    assert not kept.broken()


def test_a_key_that_is_allowed_later_gets_in_without_a_restart(secured: Secured) -> None:
    late = new_pair()
    channel = secured.connect(late)
    secured.until(channel.refused)
    secured.names = {**secured.names, late.public: "late"}
    again = secured.connect(late)
    again.send(Beat(agent="late", session="0" * 16, number=1, doing="idle"))
    secured.until(lambda: secured.seen)
    assert secured.server.name_of(secured.seen[0].user) == "late"


class Relay:
    """Carries bytes between an agent and a server, and keeps what the server said on each connection."""

    def __init__(self, port: int) -> None:
        self._server_port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self.endpoint = f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self.said: list[bytes] = []

    def pump(self) -> None:
        with contextlib.suppress(BlockingIOError):
            agent, _ = self._listener.accept()
            self._pairs.append((agent, socket.create_connection(("127.0.0.1", self._server_port))))
            self.said.append(b"")
            for end in self._pairs[-1]:
                end.setblocking(False)
        for number, (agent, server) in enumerate(self._pairs):
            self._carry(agent, server)
            self.said[number] += self._carry(server, agent)

    def _carry(self, source: socket.socket, target: socket.socket) -> bytes:
        data = b""
        with contextlib.suppress(OSError):
            data = source.recv(65536)
            if data:
                target.sendall(data)
            else:
                target.shutdown(socket.SHUT_WR)
        return data

    def close(self) -> None:
        for end in (self._listener, *(end for pair in self._pairs for end in pair)):
            end.close()


def frames_in(said: bytes) -> list[bytes]:
    """What follows the greeting: each frame with its flags, in order."""
    frames, rest = [], said[GREETING_BYTES:]
    while rest:
        end = 2 + rest[1]
        frames.append(rest[:1] + rest[2:end])
        rest = rest[end:]
    return frames


@pytest.mark.parametrize("which", ["main", "beat"])
@pytest.mark.parametrize("who", ["unknown", "revoked", "nobody"])
def test_who_is_not_allowed_gets_the_error_of_the_handshake_and_not_a_byte_more(
    secured: Secured, which: str, who: str
) -> None:
    if who == "revoked":
        secured.until(lambda: secured.server.name_of(secured.agent.public))
        secured.names = {secured.other.public: "b1"}
    pair = {"unknown": new_pair(), "revoked": secured.agent, "nobody": None}[who]
    port = secured.server.beat_port if which == "beat" else int(secured.server.endpoint.rpartition(":")[2])
    relay = Relay(port)
    channel = connect(relay.endpoint, CurveClient("a1", pair, secured.own.public) if pair else None)
    secured.channels.append(channel)
    for _ in range(100):
        channel.send(BYE)
    secured.until(lambda: relay.pump() or channel.refused())
    for _ in range(50):  # nothing follows
        relay.pump()
        secured.server.poll(0.01)
    relay.close()
    assert secured.seen == []
    assert relay.said[0].startswith(b"\xff")
    if pair is None:
        assert all(len(said) <= GREETING_BYTES for said in relay.said)
    else:
        welcome, error = frames_in(relay.said[0])
        assert welcome.startswith(b"\x04\x07WELCOME")
        assert error == b"\x04\x05ERROR\x03400"
        assert len(relay.said) == 1


def test_who_holds_a_connection_without_a_word_when_its_key_is_revoked_is_cut_at_its_first_word(
    secured: Secured,
) -> None:
    silent, other = secured.connect(secured.agent), secured.connect(secured.other)
    other.send(BYE)
    secured.until(lambda: secured.seen)
    secured.names = {secured.other.public: "b1"}
    secured.until(secured.server.newly_revoked)
    silent.send(BYE)
    secured.until(lambda: secured.server.refused["revoked"] or secured.server.refused["key"])
    secured.until(silent.refused)
    assert [arrival.user for arrival in secured.seen] == [secured.other.public]


def test_a_key_that_gets_another_name_starts_anew(secured: Secured) -> None:
    channel = secured.connect(secured.agent)
    channel.send(BYE)
    secured.until(lambda: secured.seen)
    secured.names = {secured.agent.public: "renamed"}
    revoked: set[str] = set()
    secured.until(lambda: revoked.update(secured.server.newly_revoked()) or revoked)
    assert revoked == {secured.agent.public, secured.other.public}
    assert secured.server.name_of(secured.agent.public) == "renamed"
    secured.until(channel.broken)
    channel.send(BYE)  # it connects again by itself
    secured.until(lambda: len(secured.seen) == 2)


def test_a_key_that_was_revoked_is_named_once_and_its_return_is_no_request_to_let_it_in(
    secured: Secured, caplog: pytest.LogCaptureFixture
) -> None:
    channel = secured.connect(secured.agent)
    channel.send(BYE)
    secured.until(lambda: secured.seen)
    del secured.names[secured.agent.public]
    secured.until(secured.server.newly_revoked)
    secured.refusal_of(secured.connect(secured.agent))
    assert [record.getMessage() for record in caplog.records] == [
        f"a1 is not allowed any more (key {secured.agent.public}); 1 of its connections were cut"
    ]


def test_keys_that_nobody_knows_are_named_in_the_log_but_a_flood_of_them_is_not(
    secured: Secured, caplog: pytest.LogCaptureFixture
) -> None:
    strangers = [new_pair() for _ in range(MOST_NAMED + 4)]
    channels = [secured.connect(pair) for pair in strangers]
    secured.until(lambda: secured.server.refused["key"] == len(channels))
    told = [record.getMessage() for record in caplog.records if "a device was refused" in record.getMessage()]
    assert len(told) == MOST_NAMED
    keys = {pair.public for pair in strangers}
    assert all(line.rpartition(" ")[2].rstrip("'") in keys for line in told)


def test_a_pair_can_be_had_from_its_secret() -> None:
    pair = new_pair()
    assert pair_of(pair.secret) == pair
    assert pair.secret not in repr(pair)
    with pytest.raises(ValueError, match="no secret key"):
        pair_of("x" * 40 + "é")
