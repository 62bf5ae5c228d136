"""What was found on a device, as typed facts. Pure; the script :mod:`look` finds them there."""

from __future__ import annotations

import msgspec

from harness.errors import DeployError

MARK = "federa-bench facts: "
"""Begins the line with the facts: a login may print other lines before it."""


class Torch(msgspec.Struct, frozen=True, kw_only=True):
    """The torch that the device's own Python imports, or why it does not."""

    version: str | None = None
    cuda: bool = False
    file: str | None = None
    error: str | None = None
    numpy: str | None = None
    """The version of the numpy beside it: torch was built against its major version."""


class Installed(msgspec.Struct, frozen=True, kw_only=True):
    """What an earlier deployment left."""

    release: str | None = None
    """The folder that ``current`` leads to, without its path."""
    complete: tuple[str, ...] = ()
    """Releases that were made whole."""
    name: str | None = None
    connect: str | None = None
    options: str | None = None
    files: dict[str, str] = msgspec.field(default_factory=dict)
    """SHA-256 of what stands in the files that a deployment writes, by path."""
    keys: dict[str, str] = msgspec.field(default_factory=dict)
    """The lines of the ``.public`` files, by path."""
    places: tuple[str, ...] = ()
    """Which of the places of a deployment there are at all."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """A device as it was found."""

    user: str
    uid: int
    sudo: str | None
    """Why ``sudo -n`` does not work; None where it does, or is not needed."""
    host: str
    machine: str
    board: str | None
    jetpack: str | None
    """The first line of /etc/nv_tegra_release."""
    python: str
    """The path of the interpreter."""
    prefix: str
    """Where it is installed; services have to be able to read it."""
    python_version: tuple[int, int, int]
    venv: bool
    torch: Torch
    pip: bool
    systemd: int | None
    booted: bool
    """Whether systemd is what runs this machine."""
    groups: tuple[str, ...]
    """Which of the groups that matter there are."""
    agent_user: bool
    rsync: bool
    tc: bool
    free_bytes: int
    """Where /opt is."""
    installed: Installed


def read(output: str, host: str) -> Facts:
    """The facts in what the script printed.

    A device may answer what it likes: its words are shown to people, and stand in paths and commands.

    Raises:
        DeployError: there are none, or they are damaged.
    """
    for text in reversed(output.splitlines()):
        if text.startswith(MARK):
            try:
                return _sound(msgspec.json.decode(text[len(MARK) :].encode(), type=Facts))
            except (ValueError, RecursionError) as error:  # of msgspec, too, errors are ValueErrors
                raise DeployError(f"{host}: what was found there cannot be read ({error}); report this") from None
    raise DeployError(f"{host}: its Python answered without facts; log in and try: python3 -V")


def _sound(facts: Facts) -> Facts:
    """The facts, where all that could stand in a path or a command is one line of printable characters.

    Raises:
        ValueError: something is not.
    """
    torch, there = facts.torch, facts.installed
    words = (facts.user, facts.host, facts.machine, facts.python, facts.prefix, torch.version, torch.numpy)
    lists = (facts.groups, there.complete, there.places, there.files, there.keys, there.files.values())
    for word in (
        *words,
        there.release,
        there.name,
        there.connect,
        there.options,
        *(it for each in lists for it in each),
    ):
        if word is not None and not word.isprintable():
            raise ValueError(f"{word[:80]!r} is not of printable characters")
    return facts
