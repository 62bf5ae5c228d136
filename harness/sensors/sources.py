"""What a sampler reads: one of four sources, the first that is there. Imports of optional packages stand in theirs."""

from __future__ import annotations

from typing import Any, Protocol

from harness.sensors import ina3221
from harness.sensors.board import Board
from harness.sensors.fields import rail_field
from harness.sensors.pace import SLOW_HZ, gap_s
from harness.sensors.rails import Total, total_of, watts


class Source(Protocol):
    """Something that can be read at a steady rate. ``slow`` fields are read less often than ``fast`` ones.

    Both stay the same, but where a service behind the source begins to answer.
    """

    @property
    def name(self) -> str:
        """What it is called in records."""

    @property
    def fast(self) -> tuple[str, ...]:
        """Fields that are read at each sample."""

    @property
    def slow(self) -> tuple[str, ...]:
        """Fields that are read :data:`~harness.sensors.pace.SLOW_HZ` times a second."""

    @property
    def total(self) -> Total:
        """The rails of the total."""

    @property
    def gap_s(self) -> float:
        """How far two samples may be apart."""

    def read_fast(self) -> list[float | None] | None:
        """The total in watts, and one value for each of ``fast``; None: nothing new to tell."""

    def read_slow(self) -> list[float | None]:
        """One value for each of ``slow``."""

    def facts(self) -> dict[str, Any]:
        """What stands in the header of a run; asked now and then, for the power mode and others may change."""


class Ina3221:
    """The rails of a Jetson board, and the board."""

    name = "ina3221"

    def __init__(self, root: str, hz: float) -> None:
        self._rails = ina3221.rails(root)
        self._board = Board(root)
        self._model = str(self._board.facts()["board"] or "")
        self.total = total_of([rail.label for rail in self._rails], self._model)
        self.fast = tuple(rail_field(rail.label) for rail in self._rails)
        self.slow = self._board.fields
        self.gap_s = gap_s(hz if self._rails else min(hz, SLOW_HZ))

    def read_fast(self) -> list[float | None]:
        """The total, and each rail, in watts."""
        found = {rail.label: ina3221.watts(rail) for rail in self._rails}
        return [watts(self.total.rails, found), *found.values()]

    def read_slow(self) -> list[float | None]:
        """The board's heat, clocks, counters and memory."""
        return self._board.read()

    def facts(self) -> dict[str, Any]:
        """The board's."""
        return {**self._board.facts(), "rails": [rail.label for rail in self._rails]}


def open_source(wanted: str, root: str, hz: float) -> Source:
    """The source that is ``wanted``, or with "auto" the first that is there; else the host's own figures."""
    board = Ina3221(root, hz)
    if wanted == "ina3221" or (wanted == "auto" and board.fast):
        return board
    if wanted in ("auto", "jtop") and (service := _jtop(hz, patient=wanted == "jtop")):
        return service
    if wanted == "auto" and board.total.rails:
        return board  # it should have sensors, and that it has none is to be seen
    if wanted in ("auto", "nvml") and (gpus := _nvml(root, hz)):
        return gpus
    return _host(root, hz)


def _host(root: str, hz: float) -> Source:
    from harness.sensors.host import Host

    return Host(root, hz)


def _jtop(hz: float, patient: bool) -> Source | None:
    from harness.sensors.jetson_stats import opened

    return opened(hz, patient)


def _nvml(root: str, hz: float) -> Source | None:
    from harness.sensors.nvml import opened

    return opened(root, hz)
