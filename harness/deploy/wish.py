"""What is wanted of one device, checked as text. Pure."""

from __future__ import annotations

import re

import msgspec

from harness.address import address_of
from harness.deploy.facts import Installed
from harness.errors import UsageError
from harness.keys.keyfile import check_name

HOST = re.compile(r"(?:[A-Za-z_][A-Za-z0-9_.-]*@)?(?:[A-Za-z0-9_][A-Za-z0-9_.-]*|[0-9a-fA-F:]*:[0-9a-fA-F:.]*)")
OPTIONS = re.compile(r"[A-Za-z0-9 ._:/=+,@-]*")
PYTHON = re.compile(r"[A-Za-z0-9._/+-]+")


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """One device, and what is to run there."""

    host: str
    """As ssh takes it: ``user@orin-01``, or a name of ~/.ssh/config."""
    name: str
    """What the agent, its key and its unit are called."""
    connect: str | None = None
    """The controller's address; None where the device keeps the one it has."""
    options: str | None = None
    """More options of the agent's command line; None where the device keeps those it has."""
    python: str | None = None
    torch_from_index: bool = False
    new_controller_key: bool = False
    """Trust another controller than before."""


def checked(wish: Wish) -> Wish:
    """The wish itself, if it can be one.

    Raises:
        UsageError: a value of it cannot stand where it would.
    """
    check_host(wish.host)
    check_name(wish.name)
    if wish.connect:
        address_of(wish.connect)
    if not OPTIONS.fullmatch(wish.options or ""):
        raise UsageError(f"the agent's options {wish.options!r} hold what a unit cannot take; use words without quotes")
    if wish.python and (not PYTHON.fullmatch(wish.python) or wish.python.startswith("-")):
        raise UsageError(f"{wish.python!r} is no Python; give its name or path, such as /usr/bin/python3.10")
    return wish


def resolved(wish: Wish, installed: Installed) -> Wish:
    """The wish with what an earlier deployment said, where it leaves that open."""
    options = installed.options if wish.options is None else wish.options
    return msgspec.structs.replace(wish, connect=wish.connect or installed.connect, options=options or "")


def check_host(host: str) -> str:
    """A host as ssh takes it, and never one of its options.

    Raises:
        UsageError: it is none.
    """
    if not HOST.fullmatch(host):
        raise UsageError(f"{host!r} is no host; write it like user@orin-01, and set its port in ~/.ssh/config")
    return host


def name_of(host: str) -> str:
    """What the agent on this host is called unless it is told: the host's name without user and domain.

    Raises:
        UsageError: it is an address, which is no name.
    """
    bare = check_host(host).rpartition("@")[2]
    if ":" in bare or re.fullmatch(r"[0-9.]+", bare):
        raise UsageError(
            f"{host} is an address; say what the agent there is called, with --name or a name in the inventory"
        )
    return bare.partition(".")[0]
