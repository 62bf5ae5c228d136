"""What is known of each device of a run, on its way into the header: the last word on each counts.

The header is replaced as a whole, and waits for the disk; so many words in a row are written at once, some seconds
later.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from harness.records import Header

CONTROLLER = "controller"
"""Under this name stands what the controller found of itself; no agent may have it."""
WRITE_EVERY_S = 5.0
MOST_DEVICES = 1000


class HeaderFile(Protocol):
    """Where the header of the run is; the run folder."""

    def read_header(self) -> Header:
        """The header as it stands."""

    def write_header(self, header: Header) -> None:
        """Replace it."""


class DeviceBook:
    """The devices of one run, and the header they go into. ``now`` is the run's clock."""

    def __init__(self, file: HeaderFile, now: Callable[[], float]) -> None:
        self._file, self._now = file, now
        self._devices = dict(file.read_header().devices)
        self._written_s = float("-inf")
        self._unwritten = False

    def put(self, name: str, facts: dict[str, Any]) -> None:
        """This is known of a device, and nothing that was known before."""
        if self._devices.get(name) == facts or (name not in self._devices and len(self._devices) >= MOST_DEVICES):
            return
        self._devices[name] = facts
        self._unwritten = True

    def add(self, name: str, **facts: Any) -> None:
        """This is known besides."""
        self.put(name, {**self._devices.get(name, {}), **facts})

    def flush(self, *, at_once: bool = False) -> None:
        """Write what is new, unless it was written just now.

        Raises:
            StoreError: the header could not be replaced.
        """
        if not self._unwritten or (not at_once and self._now() - self._written_s < WRITE_EVERY_S):
            return
        self._file.write_header(msgspec.structs.replace(self._file.read_header(), devices=dict(self._devices)))
        self._written_s, self._unwritten = self._now(), False
