"""What is wanted of a device is checked as text before anything is done."""

from __future__ import annotations

import pytest

from harness.deploy.facts import Installed
from harness.deploy.wish import Wish, checked, name_of, resolved
from harness.errors import UsageError


@pytest.mark.parametrize("host", ["orin-01", "lab@orin-01", "lab@orin-01.lab.example", "lab@192.168.1.20", "fe80::1"])
def test_hosts_as_ssh_takes_them(host: str) -> None:
    assert checked(Wish(host=host, name="orin-01")).host == host


@pytest.mark.parametrize("host", ["-oProxyCommand=x", "lab@-x", "a b", "a;b", "ssh://a", "lab@orin:22", "", "$(x)"])
def test_what_is_no_host_is_refused(host: str) -> None:
    with pytest.raises(UsageError, match="is no host"):
        checked(Wish(host=host, name="orin-01"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("connect", "192.168.1.10:5555"),
        ("connect", "tcp://192.168.1.10:70000"),
        ("connect", "tcp://a b:1"),
        ("options", "--log-level 'debug'"),
        ("options", "$HOME"),
        ("python", "python3; rm"),
        ("python", "-c"),
        ("name", "a/b"),
    ],
)
def test_what_cannot_stand_where_it_would_is_refused(field: str, value: str) -> None:
    with pytest.raises(UsageError):
        checked(Wish(**{"host": "orin-01", "name": "orin-01", field: value}))


def test_an_agent_is_called_as_its_host() -> None:
    assert name_of("lab@orin-01.lab.example") == "orin-01"
    with pytest.raises(UsageError, match="--name"):
        name_of("lab@192.168.1.20")


def test_what_is_left_open_stays_as_it_was() -> None:
    before = Installed(connect="tcp://a:1", options="--log-level debug")
    kept = resolved(Wish(host="orin-01", name="orin-01"), before)
    assert (kept.connect, kept.options) == ("tcp://a:1", "--log-level debug")
    changed = resolved(Wish(host="orin-01", name="orin-01", connect="tcp://b:1", options=""), before)
    assert (changed.connect, changed.options) == ("tcp://b:1", "")
