"""What stands around the rounds while a run lasts. Its parts are imported for a run that wants them: a light start."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from agents.lifecycle import AgentMachine
from agents.line import Line
from agents.steps import AnyFact
from agents.tools import Tools
from agents.uplink import Controller
from harness.protocol.messages import Provision, Welcome
from harness.vitals import Vitals

if TYPE_CHECKING:
    from agents.equipped import Equipped


class Equipment:
    """For one run after the other: nothing of one is left in the next. ``now`` is the agent's clock."""

    def __init__(self, tools: Tools, line: Line, agent: str, endpoint: str, now: Callable[[], float]) -> None:
        self._tools, self._line, self._agent, self._now = tools, line, agent, now
        self._controller = Controller("", int(endpoint.rpartition(":")[2]), 0)
        self._equipped: Equipped | None = None

    @property
    def fds(self) -> list[int]:
        """To wait on."""
        return [] if self._equipped is None else self._equipped.fds

    def came_from(self, address: str) -> None:
        """The controller said something from this IP address."""
        self._controller = self._controller._replace(address=address)

    def welcomed(self, welcome: Welcome) -> None:
        """A connection stands."""
        self._controller = self._controller._replace(beat_port=welcome.beat_port)

    def equip(self, provision: Provision) -> list[AnyFact]:
        """Have all of it as a Provision says; what an equal one had goes on."""
        if self._equipped is None:
            from agents.equipped import Equipped

            self._equipped = Equipped(self._tools, self._line, self._agent, self._now)
        return self._equipped.equip(provision, self._controller)

    def unequip(self) -> None:
        """The run is over."""
        equipped, self._equipped = self._equipped, None
        if equipped is not None:
            equipped.close()

    def tend(self, ready: set[int], machine: AgentMachine) -> list[AnyFact]:
        """Take what came, send what may be sent now, look whether the uplink is still kept."""
        return [] if self._equipped is None else self._equipped.tend(ready, machine)

    def vitals(self, begin_s: float, end_s: float) -> Vitals | None:
        """What the sensors told between two moments."""
        return None if self._equipped is None else self._equipped.vitals(begin_s, end_s)

    def uplink_bps(self, from_s: float, until_s: float) -> float | None:
        """What the kernel let through between two moments; None: it keeps no rate."""
        return None if self._equipped is None else self._equipped.uplink_bps(from_s, until_s)
