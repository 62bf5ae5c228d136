"""Two machines and the cable between them, as network namespaces: the controller's and the agents'. Needs root."""

from __future__ import annotations

import os
import subprocess
from itertools import count
from types import TracebackType

import pytest
from keyring import appending

CONTROLLER, AGENTS = "10.77.1.1", "10.77.1.2"
BELOW_ONE_FRAME = ("tbf", "rate", "25mbit", "burst", "20", "limit", "1000")
"""A shaper whose burst is shorter than the shortest frame: it drops all of them, and tells nobody."""

_numbers = count()


class Lab:
    """Use it as a context. The cable can be pulled, or go dead in one direction alone.

    Skips the test where namespaces cannot be made, and says why.
    """

    def __init__(self) -> None:
        here = f"fb{os.getpid()}-{next(_numbers)}"
        self._near, self._far = f"{here}c", f"{here}a"

    def __enter__(self) -> Lab:
        if os.geteuid() != 0:
            pytest.skip("network namespaces need root")
        try:
            self._lay()
        except (OSError, subprocess.CalledProcessError) as error:
            self.__exit__(None, None, None)
            said = getattr(error, "stderr", None) or str(error)
            pytest.skip(f"network namespaces cannot be made here: {said.strip()}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in (self._near, self._far):
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)

    def at_controller(self, *options: str) -> list[str]:
        """What goes before a command line to run it on the controller's machine, with more options."""
        return ["ip", "netns", "exec", self._near, *appending(*options)]

    def at_agents(self, *options: str) -> list[str]:
        """The same on the agents' machine."""
        return ["ip", "netns", "exec", self._far, *appending(*options)]

    def pull(self) -> None:
        """Pull the cable at the controller's end."""
        _run("ip", "-n", self._near, "link", "set", "cable", "down")

    def plug(self) -> None:
        """Put it back."""
        _run("ip", "-n", self._near, "link", "set", "cable", "up")

    def deafen(self, way: str) -> None:
        """Nothing arrives any more at the ``agents`` or at the ``controller``; the other direction works."""
        _run("tc", "-n", self._sender(way), "qdisc", "add", "dev", "cable", "root", *BELOW_ONE_FRAME)

    def hear_again(self, way: str) -> None:
        """That direction works again."""
        _run("tc", "-n", self._sender(way), "qdisc", "del", "dev", "cable", "root")

    def _sender(self, way: str) -> str:
        return {"agents": self._near, "controller": self._far}[way]

    def _lay(self) -> None:
        for name in (self._near, self._far):
            _run("ip", "netns", "add", name)
        ends = ("netns", self._near, "type", "veth", "peer", "name", "cable", "netns", self._far)
        _run("ip", "link", "add", "cable", *ends)
        for name, address in ((self._near, CONTROLLER), (self._far, AGENTS)):
            _run("ip", "-n", name, "address", "add", f"{address}/30", "dev", "cable")
            for device in ("lo", "cable"):
                _run("ip", "-n", name, "link", "set", device, "up")


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)
