"""What an agent says of its sensors and its clock beside a record, held against what can be. Pure.

A record's phases and bytes make a round's figures: where they cannot be true, the update fails. Energy, heat and the
moments of phases only stand beside them: where they cannot be true they are dropped, and the update counts.
"""

from __future__ import annotations

import math

import msgspec

from harness.protocol.text import plain
from harness.records import ClientRecord
from harness.timeline import Offset, Timeline
from harness.vitals import Vitals

LARGEST = 2.0**53
MOST_RAILS = 32
LONGEST_WORD = 64
COLDEST_C, HOTTEST_C = -100.0, 300.0
"""A sensor that is off says -256."""
TOLERANCE_S = 0.25
"""Moments and durations are taken one after the other, and a clock's rate may be off by some parts in a million."""
MOST_UNCERTAIN_S = 60.0
"""Half of a heartbeat's round trip: an agent that is not heard of for so long counts as lost."""
PHASES = ("download", "load", "train", "serialise", "upload")


def believed(record: ClientRecord, now_s: float) -> tuple[ClientRecord, list[str]]:
    """The record with what can be true of its vitals and its timeline, and why the rest was dropped.

    ``now_s`` is the run's clock as the record came: nothing in it lies later.
    """
    faults = []
    if fault := fault_of_energy(record):
        faults.append(fault)
        record = msgspec.structs.replace(record, vitals=None, energy_j=None)
    if record.timeline is not None and (fault := fault_of_timeline(record.timeline, record, now_s)):
        faults.append(fault)
        record = msgspec.structs.replace(record, timeline=None)
    return record, faults


def fault_of_energy(record: ClientRecord) -> str | None:
    """Why energy and vitals of a record cannot be true, in words; None if they may be."""
    vitals = record.vitals
    if vitals is None:
        return None if record.energy_j is None else "its energy_j has no vitals that it was measured with"
    if fault := fault_of_vitals(vitals):
        return fault
    if record.energy_j != vitals.energy_j:
        return f"its energy_j is {record.energy_j}, that of its vitals {vitals.energy_j}"
    return None


def fault_of_vitals(vitals: Vitals) -> str | None:
    """Why vitals cannot be true, in words; None if they may be."""
    if len(vitals.rails_j) > MOST_RAILS:
        return f"its vitals have {len(vitals.rails_j)} rails; no board has more than {MOST_RAILS}"
    for word in (vitals.source, vitals.power_mode, *vitals.rails_j):
        if word is not None and (len(word) > LONGEST_WORD or plain(word) != word):
            return "its vitals have a name that is too long, or not of printable characters"
    for name, value in _numbers(vitals):
        coldest, highest = (COLDEST_C, HOTTEST_C) if name == "temperature_max_c" else (0.0, LARGEST)
        if value is not None and not coldest <= value <= highest:  # nor is NaN
            return f"{name} of its vitals is {value}, which nobody can measure"
    if vitals.coverage > 1.0:
        return f"coverage of its vitals is {vitals.coverage}, more than all of the time"
    if len(set(vitals.flags)) < len(vitals.flags):
        return "its vitals give a flag twice"
    return None


def fault_of_timeline(timeline: Timeline, record: ClientRecord, now_s: float) -> str | None:
    """Why a timeline cannot be that of the record, in words; None if it may be."""
    if not 0 <= timeline.arrived_s <= LARGEST:
        return f"its task arrived at {timeline.arrived_s} of its clock"
    if unknown := timeline.phase_at_s.keys() - set(PHASES):
        return f"its timeline has a phase '{plain(min(unknown))[:LONGEST_WORD]}'"
    before_s = 0.0
    for phase in PHASES:
        at_s = timeline.phase_at_s.get(phase)
        if at_s is None:
            continue
        end_s = at_s + getattr(record, f"{phase}_s")
        if not before_s - TOLERANCE_S <= at_s <= end_s <= record.total_s + TOLERANCE_S:  # nor is NaN
            lasts = f"its {phase} lasts from {at_s} to {end_s} s"
            return f"{lasts}; it may begin at {before_s} s, and the task ends at {record.total_s} s"
        before_s = end_s
    for name in ("download", "upload"):
        if fault := _fault_of_offset(getattr(timeline, name), timeline.arrived_s, now_s):
            return f"the offset of its {name} {fault}"
    return None


def _fault_of_offset(offset: Offset | None, arrived_s: float, now_s: float) -> str | None:
    if offset is None:
        return None
    if not (math.isfinite(offset.offset_s) and 0 <= offset.uncertainty_s <= MOST_UNCERTAIN_S):
        return f"is {offset.offset_s} +- {offset.uncertainty_s} s"
    at_s, apart_s = arrived_s + offset.offset_s, offset.uncertainty_s + TOLERANCE_S
    if at_s > now_s + apart_s:
        return f"has its task arrive {at_s - now_s:.3f} s from now"
    if at_s < -apart_s:
        return f"has its task arrive {-at_s:.3f} s before the run"
    return None


def _numbers(vitals: Vitals) -> list[tuple[str, float | None]]:
    told = msgspec.structs.asdict(vitals)
    plain_ones = [(name, value) for name, value in told.items() if isinstance(value, (int, float))]
    return [*plain_ones, *vitals.rails_j.items()]
