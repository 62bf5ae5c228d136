"""Of time, disk, memory, load, services and limits. Pure data; null is "could not be told"."""

from __future__ import annotations

from harness.doctor.facts.base import Fact, Role


class TimeSync(Fact, frozen=True, kw_only=True):
    """What the kernel knows of the wall clock (null: it does not say), and which daemons set it."""

    synchronised: bool | None = None
    max_error_s: float | None = None
    daemons: tuple[str, ...] = ()


class Disk(Fact, frozen=True, kw_only=True):
    """Space where a folder lies, or would lie; ``existing`` is the part of its path that there is."""

    role: Role
    folder: str
    existing: str
    free_bytes: int
    total_bytes: int
    writable: bool


class Memory(Fact, frozen=True, kw_only=True):
    """Memory and swap, in bytes."""

    total_bytes: int
    available_bytes: int
    swap_total_bytes: int = 0
    swap_free_bytes: int = 0


class Load(Fact, frozen=True, kw_only=True):
    """What others do here: processor cores that they keep busy (by name the busiest), and the GPU's load, 0 to 1."""

    cores: int
    average_1m: float
    busy_cores: float | None = None
    busiest: str | None = None
    gpu: float | None = None


class Unit(Fact, frozen=True, kw_only=True):
    """A unit of systemd: loaded, active, its finer state, and how often it was started again."""

    name: str
    active: str
    finer: str
    restarts: int | None = None


class Services(Fact, frozen=True, kw_only=True):
    """systemd's version, whether it runs this machine, and the units of this project."""

    version: int | None = None
    booted: bool = False
    units: tuple[Unit, ...] = ()


class Descriptors(Fact, frozen=True, kw_only=True):
    """How many files and connections a process may hold open at once; null: without a limit."""

    role: Role
    soft: int | None
    hard: int | None
    wanted: int
