"""Of groups and keys. Pure data; null is "could not be told"."""

from __future__ import annotations

from harness.doctor.facts.base import Fact, Role


class Groups(Fact, frozen=True, kw_only=True):
    """Groups that there are on this machine, and those of this process. root needs none."""

    jetson: bool
    user: str
    root: bool = False
    there: tuple[str, ...] = ()
    mine: tuple[str, ...] = ()
    jetson_stats: bool = False


class Keys(Fact, frozen=True, kw_only=True):
    """Keys of this role, as the agent or the controller itself would find them.

    ``problem`` is the sentence with which it would refuse to start. ``needed``: the address is not one of loopback.
    ``allowed`` are the devices that a controller lets in. ``handshake`` is what the controller said to the agent's key:
    the sentence with which it turned it away, or "" where it did not; null: it was not asked, or nobody listens.
    """

    role: Role
    folder: str
    needed: bool
    name: str | None = None
    problem: str | None = None
    open_folder: str | None = None
    allowed: int | None = None
    handshake: str | None = None
