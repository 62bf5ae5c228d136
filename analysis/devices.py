"""What was found of the devices of a run, as its header keeps it: model, power mode, clocks, the doctor's words. Pure.

The reports were written by agents, so every key of them may be missing or of another kind: what cannot be read is left
out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis import stats, units
from analysis.flat import flatten
from analysis.load import Run
from analysis.rendering import Column, Table
from analysis.rows import named

CONTROLLER = "controller"
CLOCK_WORDS = ("clock", "governor", "_hz")
"""What the keys of a device's clocks hold."""
UNSOUND = ("fail", "warn")
HEADS = ("agent", "runs", "model", "power mode", "clocks", "shaped by", "doctor")
SOMETIMES = ("runs", "clocks", "shaped by")
"""Columns of the table that go where no row has anything in them."""
MODEL_KEYS = ("model", "board", "gpus")
FASTEST_HZ = 1e15
"""A number beyond it is no clock's, and is shown as it is."""
LEAST_CLOCKS = "_min_hz"
"""Of keys that the table has no room for."""


@dataclass(frozen=True)
class Finding:
    """What the doctor said of one thing: ``state`` is "ok", "warn", "fail" or "skipped", ``do`` what to do."""

    name: str
    state: str
    says: str
    do: str = ""


@dataclass(frozen=True)
class Device:
    """The device of one agent, or the controller's machine; "" where something was not told. Clocks: name and value.

    ``uplink`` is what keeps the rate of what it sends, where its kernel does.
    """

    agent: str
    model: str
    power_mode: str
    clocks: tuple[tuple[str, str], ...]
    findings: tuple[Finding, ...]
    uplink: str = ""

    @property
    def unsound(self) -> tuple[Finding, ...]:
        """What the doctor was not content with, failures first."""
        return tuple(each for state in UNSOUND for each in self.findings if each.state == state)

    @property
    def words(self) -> tuple[str, ...]:
        """The device as a row of the table shows it."""
        clocks = "; ".join(f"{name} {value}" for name, value in self.clocks)
        return self.agent, self.model, self.power_mode, clocks, self.uplink, self.doctor

    @property
    def doctor(self) -> str:
        """The doctor's words: what it was not content with, else that all is well."""
        if not self.findings:
            return "not examined"
        told = "; ".join(f"{each.state}: {each.name}: {each.says}" for each in self.unsound)
        return told or f"{units.counted(len(self.findings), 'finding')}, none of them bad"


def devices_of(run: Run) -> tuple[Device, ...]:
    """The devices that a run knows, the controller's machine last."""
    by_name = sorted(run.header.devices.items(), key=lambda item: (item[0] == CONTROLLER, item[0]))
    return tuple(_device(agent, report, _seen_mode(run, agent)) for agent, report in by_name)


def devices_table(runs: Sequence[Run]) -> Table:
    """A row for each device: those of several runs that are told the same share one. No rows where nothing is known."""
    found = [
        (label, run, each) for label, run in zip(stats.labels(runs), runs, strict=True) for each in devices_of(run)
    ]
    labels_of: dict[tuple[str, ...], list[str]] = {}
    for label, _, each in found:
        labels_of.setdefault(each.words, []).append(label)
    rows = [(words[0], _whose(labels, len(runs)), *words[1:]) for words, labels in labels_of.items()]
    kept = [at for at, head in enumerate(HEADS) if head not in SOMETIMES or any(row[at] for row in rows)]
    return Table(
        name="devices",
        title="Devices",
        note="As each agent found its device before the first round; the doctor's words are of that moment.",
        columns=tuple(Column(HEADS[at], numeric=False) for at in kept),
        rows=tuple(tuple(row[at] or ("-" if HEADS[at] in SOMETIMES else "not told") for at in kept) for row in rows),
        records=tuple(
            named(run)
            | {"agent": each.agent, "model": each.model, "power_mode": each.power_mode}
            | {"clocks": each.words[3], "shaped_by": each.uplink, "doctor": each.doctor}
            for _, run, each in found
        ),
    )


def _whose(labels: Sequence[str], runs: int) -> str:
    """The runs of a row; nothing where there is only one."""
    if runs == 1:
        return ""
    if len(labels) == runs:
        return "all"
    return units.listing(labels) if len(labels) <= 2 else units.counted(len(labels), "run")


def _seen_mode(run: Run, agent: str) -> str:
    """The power mode that the agent's sensors saw first."""
    modes = (c.vitals.power_mode for c in run.clients if c.agent == agent and c.vitals and c.vitals.power_mode)
    return next(modes, "")


def _device(agent: str, report: Mapping[str, Any], seen_mode: str) -> Device:
    told = report.get("device")
    flat = flatten(told) if isinstance(told, Mapping) else {}
    model = next((flat[key] for key in flat if key.rpartition(".")[2] in MODEL_KEYS and flat[key]), "")
    mode = next((flat[key] for key in flat if key.rpartition(".")[2] == "power_mode" and flat[key]), seen_mode)
    clocks = tuple(
        (key.rpartition(".")[2].removesuffix("_hz").replace("_", " "), _value(key, value))
        for key, value in flat.items()
        if value not in (None, "", [], {})
        and any(word in key for word in CLOCK_WORDS)
        and not key.endswith(LEAST_CLOCKS)
    )
    findings = tuple(_findings(report.get("doctor")))
    return Device(agent, _listed(model), str(mode), clocks, findings, _uplink(report.get("shaping")))


def _value(key: str, value: Any) -> str:
    """A clock's value as people read it: frequencies in MHz."""
    if key.endswith("_hz") and isinstance(value, (int, float)) and abs(value) < FASTEST_HZ:
        return f"{value / 1e6:,.0f} MHz"
    return _listed(value)


def _listed(value: Any) -> str:
    return units.listing(map(str, value)) if isinstance(value, (list, tuple)) and value else str(value)


def _uplink(shaping: Any) -> str:
    """What the kernel shapes: "htb on wlan0"."""
    told = shaping if isinstance(shaping, Mapping) else {}
    kind, interface = told.get("kind"), told.get("interface")
    return f"{kind} on {interface}" if kind and interface else ""


def _findings(doctor: Any) -> Iterator[Finding]:
    """The doctor's findings: a list of them, or a mapping that has it under "findings"."""
    found = doctor.get("findings") if isinstance(doctor, Mapping) else doctor
    for each in found if isinstance(found, (list, tuple)) else ():
        if isinstance(each, Mapping) and isinstance(each.get("name"), str):
            yield Finding(
                each["name"], str(each.get("state", "")), str(each.get("says", "")), str(each.get("do") or "")
            )
