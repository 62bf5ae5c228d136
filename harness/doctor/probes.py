"""The list of what is looked at: a reader of facts, and the verdict on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from harness.doctor.findings import Finding, skipped
from harness.doctor.reading import access, board, load, network, software, system
from harness.doctor.reading.place import Place
from harness.doctor.verdicts import access as of_access
from harness.doctor.verdicts import board as of_board
from harness.doctor.verdicts import network as of_network
from harness.doctor.verdicts import software as of_software
from harness.doctor.verdicts import system as of_system

F = TypeVar("F")


@dataclass(frozen=True)
class Probe:
    """``name`` stands in the finding of a probe that hangs or fails; one that works may have other lines."""

    name: str
    look: Callable[[Place], list[Finding]]


@dataclass(frozen=True)
class _Judged(Generic[F]):
    """Read, then judge; where there is nothing to read, the line says so."""

    name: str
    read: Callable[[Place], F | None]
    judge: Callable[[F], list[Finding]]

    def __call__(self, place: Place) -> list[Finding]:
        facts = self.read(place)
        return [skipped(self.name, "nothing here tells")] if facts is None else self.judge(facts)


def _probe(name: str, read: Callable[[Place], F | None], judge: Callable[[F], list[Finding]]) -> Probe:
    return Probe(name, _Judged(name, read, judge))


PROBES = (
    _probe("board", software.board, of_software.of_board),
    _probe("packages", software.software, of_software.of_software),
    _probe("torch", software.accelerator, of_software.of_accelerator),
    _probe("groups", access.groups, of_access.of_groups),
    _probe("keys", access.keys, of_access.of_keys),
    Probe("controller", lambda place: of_network.of_reach(network.reach(place))),
    _probe("ethernet", network.wires, of_network.of_wires),
    _probe("wi-fi", network.radios, of_network.of_radios),
    _probe("kernel shaping", network.shaping, of_network.of_shaping),
    _probe("power mode", board.power_mode, of_board.of_power_mode),
    _probe("clocks", board.clocks, of_board.of_clocks),
    _probe("temperature", board.heat, of_board.of_heat),
    _probe("throttling", board.throttling, of_board.of_throttling),
    _probe("energy", board.sensors, of_board.of_sensors),
    _probe("load", load.load, of_system.of_load),
    _probe("memory", system.memory, of_system.of_memory),
    _probe("disk", system.disk, of_system.of_disk),
    _probe("time", system.time_sync, of_system.of_time),
    _probe("services", system.services, of_system.of_services),
    _probe("descriptors", system.descriptors, of_system.of_descriptors),
)
