"""Addresses of a controller, as they are written."""

import pytest

from harness.address import address_of
from harness.errors import UsageError


def test_a_host_and_a_port() -> None:
    address = address_of("tcp://controller.example:5555")
    assert (address.host, address.port, address.shown) == ("controller.example", 5555, "controller.example:5555")


def test_an_address_of_ipv6_keeps_its_brackets() -> None:
    address = address_of("tcp://[fe80::1%eth0]:5555")
    assert (address.host, address.shown) == ("fe80::1%eth0", "[fe80::1%eth0]:5555")


@pytest.mark.parametrize(
    "wrong",
    [
        "controller:5555",
        "tcp://controller",
        "tcp://:5555",
        "tcp://a:0",
        "tcp://a:65536",
        "tcp://a b:1",
        "tcp://$a:1",
        "",
    ],
)
def test_anything_else_is_an_error_that_shows_how(wrong: str) -> None:
    with pytest.raises(UsageError, match="write it like tcp://192"):
        address_of(wrong)
