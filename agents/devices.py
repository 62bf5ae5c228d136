"""What an agent tells once of its device: sensors, findings of the doctor, the shaped link, the idle baseline. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from harness.protocol.messages import DeviceReport

MOST_BYTES = 48 * 1024
"""Of the message, as msgpack: it has to fit the first frame, and the header of the run holds one for each agent."""
UNSEEN = "the doctor did not come back"


def device_report(
    device: dict[str, Any] | None,
    findings: list[dict[str, Any]] | None,
    shaping: dict[str, Any] | None,
    idle: dict[str, float] | None,
) -> DeviceReport:
    """The report, never longer than :data:`MOST_BYTES`: what does not fit is left out, and the note says so."""
    report = {"device": device, "doctor": findings, "shaping": shaping, "idle": idle}
    notes = [] if findings is not None else [UNSEEN]
    for name in ("shaping", "doctor", "device"):
        if len(msgspec.msgpack.encode(DeviceReport(report=report))) <= MOST_BYTES - 1024:
            break
        report[name] = _without_longest(report[name])
        notes.append(f"{name} was too long and is shortened")
    return DeviceReport(report=report, note="; ".join(notes))


def _without_longest(part: Any) -> Any:
    """A dictionary without the entries that make it long; anything else goes as a whole."""
    if not isinstance(part, dict):
        return None
    return {key: value for key, value in part.items() if len(msgspec.msgpack.encode(value)) <= 1024}
