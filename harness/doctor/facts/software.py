"""Of Python, packages, torch and the kind of machine. Pure data; null is "could not be told"."""

from __future__ import annotations

import msgspec

from harness.doctor.facts.base import Fact, Role


class Wanted(Fact, frozen=True, kw_only=True):
    """A package that this role needs, and the least version that does ("2.4"; null: any)."""

    name: str
    least: str | None = None


class Software(Fact, frozen=True, kw_only=True):
    """Python, the packages that the role needs and the versions that are installed (null: it is not)."""

    role: Role
    python: str
    wanted: tuple[Wanted, ...] = ()
    installed: dict[str, str | None] = msgspec.field(default_factory=dict)


class Board(Fact, frozen=True, kw_only=True):
    """A machine's kind. ``l4t`` is the release of Jetson Linux ("36.4.3"), null on what is no Jetson."""

    model: str | None = None
    l4t: str | None = None
    machine: str = ""
    container: str | None = None

    @property
    def jetson(self) -> bool:
        """Whether it is a Jetson board."""
        return self.l4t is not None or "jetson" in (self.model or "").lower()


class Accelerator(Fact, frozen=True, kw_only=True):
    """Of torch: its version, the CUDA that it was built for; of the machine: the device files of a GPU.

    ``tried`` is what a child process said that imported it: "cuda NAME", "no cuda", or an error; null: not tried.
    """

    jetson: bool
    torch: str | None = None
    built_for: str | None = None
    nodes: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    tried: str | None = None
