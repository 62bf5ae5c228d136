"""What stands beside the rounds of a run: samples of sensors, what was found of devices, the controller's own machine.

Nothing of it decides how a run goes on, and a run without all of it is a run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.fleets.device_book import CONTROLLER, DeviceBook
from harness.fleets.device_facts import facts_of
from harness.fleets.own_machine import Checkup, OwnSensors
from harness.fleets.telemetry_claims import Allowance, fault_of
from harness.fleets.telemetry_files import AnyLine, Begun, Compared, Samples, TelemetryFiles
from harness.fleets.telemetry_table import remove_files, tabulate
from harness.protocol.messages import Telemetry
from harness.store import RunFolder
from harness.timeline import Timeline
from harness.vitals import Vitals

DOCTOR_S = 5.0
"""A run that is over sooner than the doctor waits so long for him at most."""
READ_EVERY_S = 5.0
"""So often the controller's own samples are written; until then they wait in a pipe that holds minutes of them."""


class Beside:
    """Nothing is kept: a fleet without devices has nothing to tell, and a test of a fleet nobody to tell it to."""

    def joined(self, agent: str) -> None:
        """An agent came, or came again: nothing that was known of its clock holds any more."""

    def sampled(self, agent: str, message: Telemetry) -> str | None:
        """Keep samples of an agent; why they are not kept, in words, None where they are."""
        return None

    def compared(self, agent: str, timeline: Timeline) -> None:
        """What the record of an update tells of its agent's clock."""

    def reported(self, agent: str, report: dict[str, Any]) -> str | None:
        """Keep what an agent found of its device; why it is not kept, in words, None where it is."""
        return None

    def shaped(self, applied: dict[str, Any]) -> None:
        """The links towards agents that the kernel keeps, by agent, as they are and were."""

    def tend(self) -> None:
        """Do what is due, between two turns of the controller's loop.

        Raises:
            StoreError: the header could not be written.
        """

    def server(self, begin_s: float, end_s: float) -> Vitals | None:
        """What the controller's own sensors told between two moments of the run's clock; None: nothing is known."""
        return None

    def conclude(self) -> None:
        """The run ends: write what was not written yet, and make the table of all samples.

        Raises:
            StoreError: it could not be written; all it is made of is kept, and a resume makes it.
        """

    def forget(self) -> None:
        """The run is over and its table is written: the files that it was made of may go."""

    def close(self) -> None:
        """End the sensors, whatever ended the run."""


class RunBeside(Beside):
    """Of one run and one controller, in the run's folder. ``now`` is the run's clock; this controller begins now.

    ``telemetry_hz`` is what agents were asked for; 0: no samples. ``checkup`` and ``server`` are the controller's own.
    """

    def __init__(
        self,
        folder: RunFolder,
        now: Callable[[], float],
        telemetry_hz: float = 0.0,
        checkup: Checkup | None = None,
        server: OwnSensors | None = None,
    ) -> None:
        self._run, self._now, self._hz = folder.path, now, telemetry_hz
        self._since_s = now()
        self._files = TelemetryFiles(folder.path)
        self._book = DeviceBook(folder, now)
        self._checkup, self._server = checkup, server
        self._allowances: dict[str, Allowance] = {}
        self._begun: set[str] = set()
        self._read_s = self._since_s
        self._described = False
        if server is not None:
            self._append(CONTROLLER, server.clock())

    def joined(self, agent: str) -> None:
        """The next line of this agent is of another life of it."""
        self._begun.discard(agent)

    def sampled(self, agent: str, message: Telemetry) -> str | None:
        """Append what can be true, and is no more than the agent's sensors can have given."""
        if fault := fault_of(message):
            return fault
        if agent not in self._allowances:
            self._allowances[agent] = Allowance(self._hz, self._now())
        if fault := self._allowances[agent].take(message, self._now()):
            return fault
        if message.rows:
            self._append(agent, self._samples(message))
        return None

    def compared(self, agent: str, timeline: Timeline) -> None:
        """Append it where the samples are: they are told by that clock."""
        known = (("download", timeline.download), ("upload", timeline.upload))
        begun_s = {phase: timeline.arrived_s + timeline.phase_at_s.get(phase, 0.0) for phase, _ in known}
        lines = [Compared(at_s=begun_s[phase], offset=offset) for phase, offset in known if offset is not None]
        if self._hz and lines:
            self._append(agent, *lines)

    def reported(self, agent: str, report: dict[str, Any]) -> str | None:
        """The last word on a device stands in the header."""
        facts, fault = facts_of(report)
        if fault is None:
            self._book.put(agent, facts)
        return fault

    def shaped(self, applied: dict[str, Any]) -> None:
        """They stand with what the controller found of itself."""
        self._book.add(CONTROLLER, shaping=applied)

    def tend(self) -> None:
        """Take the doctor's findings and the own sensors' samples, write the header."""
        self._take_findings()
        if self._server is not None and self._now() - self._read_s >= READ_EVERY_S:
            self._take_samples(self._server)
        self._book.flush()

    def server(self, begin_s: float, end_s: float) -> Vitals | None:
        """Nothing is known without sensors, or of a time before this controller."""
        return None if self._server is None else self._server.vitals(begin_s, end_s)

    def conclude(self) -> None:
        """Wait for the doctor, should he still be here; then the header and the table."""
        self._take_findings(wait_s=DOCTOR_S)
        if self._server is not None:
            self._take_samples(self._server)
        self._book.flush(at_once=True)
        tabulate(self._run)

    def forget(self) -> None:
        """Not before its header says that the run is done: a run that is not may be resumed, and goes on with them."""
        remove_files(self._run)

    def close(self) -> None:
        """End the sensors' process."""
        if self._server is not None:
            self._server.close()

    def _take_findings(self, wait_s: float = 0.0) -> None:
        if self._checkup is not None and (found := self._checkup.findings(wait_s)) is not None:
            self._book.add(CONTROLLER, doctor=found)

    def _take_samples(self, server: OwnSensors) -> None:
        self._read_s = self._now()
        for message in server.samples():
            self._append(CONTROLLER, self._samples(message))
        if not self._described:
            self._book.add(CONTROLLER, device=server.described())
            self._described = True

    def _append(self, agent: str, *lines: AnyLine) -> None:
        if agent not in self._begun:
            self._begun.add(agent)
            self._files.append(agent, Begun(run_s=self._now(), since_s=self._since_s))
        self._files.append(agent, *lines)

    def _samples(self, message: Telemetry) -> Samples:
        return Samples(run_s=self._now(), source=message.source, fields=message.fields, rows=message.rows)
