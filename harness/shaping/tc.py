"""Runs ip and tc: argument lists without a shell, in a bare environment, each with a limit of time."""

from __future__ import annotations

import logging
import shutil
import subprocess
from collections.abc import Sequence

from harness.links.kernel import Command, Nic
from harness.shaping.reading import HtbClass, Root, classes_of, interface_of, nic_of, roots_of

log = logging.getLogger("shaper")

PLACES = "/usr/sbin:/sbin:/usr/bin:/bin"
LIMIT_S = 5.0
UNKNOWN = ("unknown", "No such file or directory", "not found")
"""What the kernel says, old and new, of a kind that it does not have."""
MODULES = {"tbf": "sch_tbf", "htb": "sch_htb", "u32": "cls_u32"}


class TcError(Exception):
    """A command did not succeed; the message is a clause for people."""


class Tc:
    """ip and tc of this machine; ``places`` is where they are looked for.

    Raises:
        TcError: one of them is not installed.
    """

    def __init__(self, places: str = PLACES) -> None:
        self._places = places
        self._ip, self._tc = self._found("ip"), self._found("tc")

    def nic_towards(self, peer: str) -> Nic:
        """The interface over which packets to an address leave.

        Raises:
            TcError: there is no route.
        """
        name = interface_of(self._output(self._ip, "-j", "route", "get", peer))
        if name is None:
            raise TcError(f"no network interface leads to {peer}")
        try:
            return nic_of(self._output(self._ip, "-j", "link", "show", "dev", name))
        except (ValueError, KeyError) as error:
            raise TcError(f"{name} cannot be used: {error}") from None

    def roots(self) -> list[Root]:
        """What stands at the root of each interface.

        Raises:
            TcError: tc says something else than it used to.
        """
        said = self._output(self._tc, "-j", "qdisc", "show")
        try:
            return roots_of(said)
        except (KeyError, TypeError, AttributeError) as error:
            raise TcError(f"what tc says of queueing disciplines cannot be read ({error!r})") from None

    def root(self, interface: str) -> Root | None:
        """What stands at the root of one."""
        return next((root for root in self.roots() if root.interface == interface), None)

    def classes(self, interface: str) -> dict[str, HtbClass]:
        """The classes of an interface, with their counters."""
        return classes_of(self._output(self._tc, "-s", "class", "show", "dev", interface))

    def filters(self, interface: str, handle: str) -> str:
        """The filters of an interface, as text."""
        return self._output(self._tc, "filter", "show", "dev", interface, "parent", handle)

    def do(self, command: Command) -> None:
        """Carry a command out.

        Raises:
            TcError: it failed; where the kernel has no such kind, the module is named.
        """
        try:
            self._output(self._tc, *command)
        except TcError as error:
            raise TcError(_explained(command, str(error))) from None

    def do_all(self, commands: Sequence[Command]) -> None:
        """Carry several out in one process. Names of interfaces are words without blanks, see ``INTERFACE_NAME``.

        Raises:
            TcError: one or more failed; all were tried, for they may be of several clients.
        """
        self._output(self._tc, "-force", "-batch", "-", said="".join(f"{' '.join(command)}\n" for command in commands))

    def _output(self, *words: str, said: str | None = None) -> str:
        environment = {"PATH": self._places, "LC_ALL": "C"}
        try:
            done = subprocess.run(
                words,
                input=said or "",
                env=environment,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=LIMIT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise TcError(f"{' '.join(words)} did not work: {error}") from None
        log.debug("%s: %d", " ".join(words), done.returncode)
        if done.returncode != 0:
            raise TcError(f"{' '.join(words)} said: {' '.join(done.stderr.split()) or done.returncode}")
        return done.stdout

    def _found(self, name: str) -> str:
        path = shutil.which(name, path=self._places)
        if path is None:
            raise TcError(f"the program {name} is not installed; install iproute2")
        return path


def _explained(command: Command, said: str) -> str:
    kind = next((word for word in command if word in MODULES), None)
    if kind is not None and any(word in said for word in UNKNOWN):
        return f"this kernel has no {kind} (module {MODULES[kind]}): {said}"
    return said
