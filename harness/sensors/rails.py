"""From the labels of power rails to what a module takes in total, without counting a watt twice. Pure.

Which rails there are is written in the developer guide of each module (Jetson Linux, "Platform Power and Performance").
A plain sum is wrong: on AGX Orin, VDDQ_VDD2_1V8AO is fed by VIN_SYS_5V0 and already counted there; modules with an
input rail (VDD_IN) have all others inside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from harness.sensors.fields import OFFLINE


class Family(NamedTuple):
    """Modules with the same rails: a part of their name in the device tree, what is added, what is inside of it."""

    model: str
    total: tuple[str, ...]
    inside: tuple[str, ...]


FAMILIES = (
    Family("AGX Orin", ("VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0"), ("VDDQ_VDD2_1V8AO",)),
    Family("Orin NX", ("VDD_IN",), ("VDD_CPU_GPU_CV", "VDD_SOC")),
    Family("Orin Nano", ("VDD_IN",), ("VDD_CPU_GPU_CV", "VDD_SOC")),
    Family("AGX Xavier", ("GPU", "CPU", "SOC", "CV", "VDDRQ", "SYS5V"), ()),
    Family("Xavier NX", ("VDD_IN",), ("VDD_CPU_GPU_CV", "VDD_SOC")),
)
"""AGX Xavier has no input rail either, and its six add up."""

NOT_CONNECTED = "NC"
"""The label of a channel that measures nothing."""


class Total(NamedTuple):
    """``rails`` add up to what the module takes; ``missing`` are those of them that have no sensor.

    No rails: the module is not known, and no sum of its rails would be more than a guess.
    """

    rails: tuple[str, ...]
    missing: tuple[str, ...]


def total_of(labels: Iterable[str], model: str = "") -> Total:
    """The rails that make the total of a module with these labels; ``model`` is its name in the device tree.

    The labels decide where they are enough: a carrier board may give the device tree a name of its own.
    """
    there = set(labels)
    family = _by_labels(there) or _by_model(model)
    if family is None:
        return Total((), ())
    return Total(family.total, tuple(rail for rail in family.total if rail not in there))


def watts(total: Sequence[str], rails_w: Mapping[str, float | None]) -> float | None:
    """The sum in watts; None where a rail was not read or says that it is off, or the total is not known."""
    values = [rails_w.get(rail) for rail in total]
    there = [value for value in values if value is not None and value != OFFLINE]
    return sum(there) if there and len(there) == len(values) else None


def _by_labels(there: set[str]) -> Family | None:
    """The family that shares most labels with what is there; a label that another family has too decides nothing."""
    known = [(len(there & {*family.total, *family.inside}), family) for family in FAMILIES]
    shared = max(count for count, _ in known)
    return next(family for count, family in known if count == shared) if shared else None


def _by_model(model: str) -> Family | None:
    return next((family for family in FAMILIES if family.model in model), None)
