"""What the controller finds of its own machine: the doctor's findings, once, and what its sensors tell."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from harness.doctor import Finding, as_json, examine
from harness.fleets.telemetry_files import Compared
from harness.protocol.messages import Telemetry
from harness.timeline import Offset
from harness.vitals import Vitals

log = logging.getLogger(__name__)

Examine = Callable[[], list[Finding]]


class Sensors(Protocol):
    """What is asked of :class:`harness.sensors.Sampler`; moments are those of the monotonic clock."""

    def read(self) -> list[Telemetry]:
        """The samples that came since this was asked last."""

    def window(self, begin_s: float, end_s: float) -> Vitals | None:
        """What they told between two moments."""

    def describe(self) -> dict[str, Any]:
        """What is read, and of which device."""

    def close(self) -> None:
        """End it."""


class Checkup:
    """The doctor's visit: in a thread of its own from now on, so that nothing waits for it."""

    def __init__(self, examination: Examine) -> None:
        self._findings: list[Finding] = []
        self._told = False
        self._thread = threading.Thread(target=self._visit, args=(examination,), name="doctor", daemon=True)
        self._thread.start()

    def findings(self, wait_s: float = 0.0) -> list[dict[str, Any]] | None:
        """What was found, waiting at most ``wait_s`` for it; None while it is under way, and once it was told."""
        self._thread.join(wait_s)
        if self._told or self._thread.is_alive():
            return None
        self._told = True
        return as_json(self._findings)

    def _visit(self, examination: Examine) -> None:
        try:
            self._findings = examination()
        except Exception as error:  # a doctor that fails is no reason to end a run
            log.warning("the doctor could not look at this machine: %s", error)


def checkup(keys: Path | None, folder: Path) -> Checkup:
    """Have the doctor look at this machine as a controller. ``keys``: --keys; ``folder``: where the runs lie."""
    return Checkup(lambda: examine("controller", keys=keys, folder=folder))


class OwnSensors:
    """The controller's own sensors in one run. ``zero_s`` is the monotonic clock at the run's zero, as this controller
    has it; ``since_s`` the run's clock as it began: what was before, nobody here measured.
    """

    def __init__(self, sensors: Sensors, zero_s: float, since_s: float) -> None:
        self._sensors, self._zero_s, self._since_s = sensors, zero_s, since_s

    def samples(self) -> list[Telemetry]:
        """What came since this was asked last."""
        return self._sensors.read()

    def vitals(self, begin_s: float, end_s: float) -> Vitals | None:
        """What the sensors told between two moments of the run's clock; None of a time that began before."""
        if begin_s < self._since_s:
            return None
        return self._sensors.window(self._zero_s + begin_s, self._zero_s + end_s)

    def described(self) -> dict[str, Any]:
        """What is read, as far as it is known by now."""
        return self._sensors.describe()

    def clock(self) -> Compared:
        """The clock of the samples and the run's are one clock."""
        return Compared(at_s=self._zero_s + self._since_s, offset=Offset(offset_s=-self._zero_s, uncertainty_s=0.0))

    def close(self) -> None:
        """End the sensors' process."""
        with suppress(OSError):
            self._sensors.close()
