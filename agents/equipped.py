"""The equipment of one run: sensors, the doctor's look, the shaped uplink, words on the device.

Nothing here delays a task or fails one, but for an uplink that the kernel was to keep and does not: what such a link
took would be measured for nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from agents.devices import device_report
from agents.examination import Examination, command_of
from agents.idle import IdleTime
from agents.lifecycle import AgentMachine
from agents.line import Line
from agents.steps import AnyFact, LinkRefused
from agents.telemetry import Telemetry, start_sampler
from agents.tools import Tools
from agents.uplink import LOST, Controller, Uplink, connect_shaper, flow_of
from harness.errors import ShapingError
from harness.protocol.messages import DeviceReport, Provision
from harness.vitals import Vitals

QUIET = ("idle", "training")
"""What an agent does while no transfer is timed."""


class Equipped:
    """From the first Provision of a run to its end. The doctor begins at once, while the agent is provisioned."""

    def __init__(self, tools: Tools, line: Line, agent: str, now: Callable[[], float]) -> None:
        self._line, self._agent, self._now = line, agent, now
        self._telemetry = Telemetry(tools.sys_root, tools.start_sampler or start_sampler)
        self._uplink = Uplink(tools.shaper, tools.connect_shaper or connect_shaper)
        command = tools.examine
        if command is None:
            command = command_of(tools.sys_root, tools.keys, agent, tools.cache)
        self._examination = Examination(command, now())
        self._idle = IdleTime()
        self._idle_w: float | None = None
        self._report: DeviceReport | None = None
        self._told_over = 0
        self._sending = False

    @property
    def fds(self) -> list[int]:
        """To wait on."""
        return [*self._telemetry.fds, *self._examination.fds]

    def equip(self, provision: Provision, there: Controller) -> list[AnyFact]:
        """Have sensors and uplink as a Provision says, towards where the controller is now."""
        try:
            flow = flow_of(provision.link, provision.link_seed, self._agent, there)
            self._uplink.release() if flow is None else self._uplink.keep(flow)
        except ShapingError as error:
            return [LinkRefused(at_s=self._now(), reason=str(error))]
        self._telemetry.begin(provision.telemetry_hz)
        return []

    def close(self) -> None:
        """Give all of it back."""
        self._uplink.release()
        self._telemetry.end()
        self._examination.end()

    def tend(self, ready: set[int], machine: AgentMachine) -> list[AnyFact]:
        """As :meth:`agents.equipment.Equipment.tend`."""
        now_s = self._now()
        self._telemetry.heard(ready)
        self._examination.heard(ready, now_s)
        if self._idle.look(machine.doing, now_s, quiet=self._examination.over) and self._idle.window is not None:
            self._idle_w = self._telemetry.idle(*self._idle.window)
        task_ended, self._sending = self._sending and machine.doing == "idle", machine.doing == "sending"
        if machine.welcomed and machine.doing in QUIET:
            self._tell(now_s, task_ended)
        return [LinkRefused(at_s=now_s, reason=LOST)] if self._uplink.lost() else []

    def vitals(self, begin_s: float, end_s: float) -> Vitals | None:
        """What the sensors told between two moments."""
        return self._telemetry.window(begin_s, end_s)

    def uplink_bps(self, from_s: float, until_s: float) -> float | None:
        """What the kernel let through between two moments; None: it keeps no rate."""
        return self._uplink.mean_bps(from_s, until_s)

    def _tell(self, now_s: float, task_ended: bool) -> None:
        """Samples that are due; and the words on the device once, over each connection, for one may lose them."""
        if (samples := self._telemetry.due(now_s, task_ended=task_ended)) is not None:
            self._line.send_beside(samples)
        if self._told_over != self._line.connection and (report := self._reported()) is not None:
            self._told_over = self._line.connection
            self._line.send_beside(report)

    def _reported(self) -> DeviceReport | None:
        """The report, once all of it is known; made once, so that it is the same however often it is told."""
        if self._report is None and self._examination.over and self._idle.over:
            baseline, window = None, self._idle.window
            if self._idle_w is not None and window is not None:
                baseline = {"idle_w": self._idle_w, "duration_s": window[1] - window[0]}
            device, shaping = self._telemetry.describe(), self._uplink.describe()
            self._report = device_report(device, self._examination.findings, shaping, baseline)
        return self._report
