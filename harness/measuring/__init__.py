"""What a run on real agents tells of its devices and its link: profiles, and how well they predict it. Pure."""

from __future__ import annotations

from harness.measuring.device import measured_device, unlike_agents
from harness.measuring.link import measured_link
from harness.measuring.replay import PhaseError, Replay, replayed
from harness.measuring.runs import Recorded, check, disturbed
from harness.measuring.text import device_text, link_text

__all__ = [
    "PhaseError",
    "Recorded",
    "Replay",
    "check",
    "device_text",
    "disturbed",
    "link_text",
    "measured_device",
    "measured_link",
    "replayed",
    "unlike_agents",
]
