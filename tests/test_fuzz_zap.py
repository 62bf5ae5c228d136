"""Whatever is asked about a handshake: it is answered, and only a key that is allowed gets a yes."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from zmq.utils import z85

from harness.transport.security import DOMAIN
from harness.transport.zap import ALLOWED, DENIED, VERSION, reply_to

KEY = bytes(range(32))
NAMES = {z85.encode(KEY).decode(): "a1"}
FRAMES = st.binary(max_size=60)
NEARLY = st.tuples(
    st.just(VERSION) | FRAMES,
    FRAMES,
    st.just(DOMAIN.encode()) | FRAMES,
    FRAMES,
    FRAMES,
    st.sampled_from([b"CURVE", b"NULL", b"PLAIN", b"curve"]) | FRAMES,
    st.just(KEY) | st.binary(min_size=32, max_size=32) | FRAMES,
).map(list)


@given(request=st.lists(FRAMES, max_size=10) | NEARLY | NEARLY.flatmap(st.permutations))
@settings(max_examples=400, deadline=None)
def test_any_request_gets_a_reply_and_only_an_allowed_key_gets_in(request: list[bytes]) -> None:
    reply, refused = reply_to(request, NAMES)
    assert len(reply) == 6
    assert reply[:2] == [VERSION, request[1] if len(request) > 1 else b""]
    asked = len(request) == 7 and (request[0], request[2], request[5]) == (VERSION, DOMAIN.encode(), b"CURVE")
    if asked and request[6] == KEY:
        assert (reply[2], reply[4], refused) == (ALLOWED, z85.encode(KEY), None)
    else:
        assert (reply[2], reply[4]) == (DENIED, b"")
        assert refused is None or (asked and refused == z85.encode(request[6]).decode())
