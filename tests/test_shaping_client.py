"""A client of a helper that is not there, not for it, or not the right one."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from harness.errors import ShapingError
from harness.links.kernel import Flow
from harness.profiles import LinkProfile
from harness.shaping import Shaper, peer_of
from harness.shaping import words as w

LINK = LinkProfile(name="wifi", rate_min_mbps=20, rate_max_mbps=30, step_s=0.2, shaping="kernel")
FLOW = Flow(peer="127.0.0.1", port=5555, beat_port=5556, at="agent", rate=LINK, seed=1)

Answering = Callable[[bytes], Shaper]


@pytest.fixture
def answering(tmp_path: Path) -> Iterator[Answering]:
    """A connection to somebody who gives one answer, whatever is asked; empty: none."""
    with ThreadPoolExecutor() as pool, socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(tmp_path / "socket"))
        listener.listen()

        def serve(answer: bytes) -> None:
            with listener.accept()[0] as client:
                asked = msgspec.msgpack.decode(client.recv(w.MAX_REQUEST_BYTES), type=w.AnyRequest)
                assert isinstance(asked, w.Shape)
                if answer:
                    client.send(answer)

        def connected(answer: bytes) -> Shaper:
            pool.submit(serve, answer)
            return Shaper.connect(tmp_path / "socket")

        yield connected


def test_without_a_helper_the_user_space_shaper_is_named(tmp_path: Path) -> None:
    with pytest.raises(ShapingError, match=r"nobody listens at .*; start the helper .* or set link\.shaping: user"):
        Shaper.connect(tmp_path / "none")


def test_a_user_who_may_not_is_told_of_the_group(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("becoming another user needs root")
    (tmp_path / "socket").touch()
    tmp_path.chmod(0o700)
    os.seteuid(65534)
    try:
        with pytest.raises(ShapingError, match=r"this user may not use .*; add it to the group of that socket"):
            Shaper.connect(tmp_path / "socket")
    finally:
        os.seteuid(0)


def test_what_the_helper_refuses_is_a_sentence(answering: Answering) -> None:
    shaper = answering(msgspec.msgpack.encode(w.Refused(reason="this kernel has no htb (module sch_htb)")))
    with pytest.raises(ShapingError, match=r"not possible here: this kernel has no htb .*, or set link\.shaping: user"):
        shaper.shape(FLOW)
    shaper.close()


def test_a_link_is_asked_for_by_its_rate_alone(answering: Answering) -> None:
    applied = w.Applied(interface="lo", begun_s=1.0)
    shaper = answering(msgspec.msgpack.encode(w.Shaped(applied=applied)))
    assert shaper.shape(FLOW) == applied
    shaper.close()


def test_a_helper_that_ended_is_noticed(answering: Answering) -> None:
    shaper = answering(b"")
    with pytest.raises(ShapingError, match="has ended, and the link is not shaped"):
        shaper.shape(FLOW)
    assert shaper.lost()
    with pytest.raises(ShapingError, match="does not answer"):
        shaper.shape(FLOW)
    shaper.close()


@pytest.mark.parametrize("answer", [b"\x00", msgspec.msgpack.encode(w.Released())])
def test_a_helper_of_another_version_is_no_help(answering: Answering, answer: bytes) -> None:
    shaper = answering(answer)
    with pytest.raises(ShapingError, match="start it again"):
        shaper.shape(FLOW)
    shaper.close()


def test_a_peer_is_found_by_its_name() -> None:
    assert peer_of("127.0.0.1") == "127.0.0.1"
    assert peer_of("[::1]") == "::1"
    with pytest.raises(ShapingError, match=r"address of no\.such\.invalid .* was not found"):
        peer_of("no.such.invalid")
