"""The answers to libzmq's question who may connect."""

import pytest

from harness.transport.zap import reply_to

KEY = b"\x01" * 32
TOLD = "0rAi4" * 8  # the same in Z85
GOOD = [b"1.0", b"7", b"federa-bench", b"192.168.1.5", b"id", b"CURVE", KEY]


def test_an_allowed_key_is_let_in_and_named() -> None:
    assert reply_to(GOOD, {TOLD: "a1"}) == ([b"1.0", b"7", b"200", b"OK", TOLD.encode(), b""], None)


def test_another_key_is_refused_and_told() -> None:
    assert reply_to(GOOD, {}) == ([b"1.0", b"7", b"400", b"this key is not allowed", b"", b""], TOLD)


@pytest.mark.parametrize(
    "request_",
    [
        [b"2.0", *GOOD[1:]],
        [*GOOD[:2], b"elsewhere", *GOOD[3:]],
        [*GOOD[:5], b"NULL"],
        [*GOOD[:5], b"PLAIN", b"user", b"password"],
        [*GOOD[:6], KEY[:-1]],
        [*GOOD, b""],
        [],
    ],
)
def test_a_request_of_another_kind_is_refused(request_: list[bytes]) -> None:
    reply, key = reply_to(request_, {TOLD: "a1"})
    assert reply[2] == b"400"
    assert key is None
