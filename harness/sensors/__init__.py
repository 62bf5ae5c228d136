"""What a device's own sensors tell: watts of its rails, heat, clocks, throttling, memory. Linux only.

A light process of its own reads them at a steady rate (:mod:`harness.sensors.sampler`), so that neither a training nor
a transfer makes it late; :class:`Sampler` starts it, takes its rows and makes :class:`~harness.vitals.Vitals` of them.
Pure: fields, rails, series, integral, faults, summary, pace, answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.sensors.process import Sampler

__all__ = ["Sampler"]


def __getattr__(name: str) -> object:
    """Import :class:`Sampler` when it is asked for: the sampler process, below this package, does without msgspec.

    That would be 25 ms more than the 35 ms until its first sample on a small desktop machine.
    """
    if name != "Sampler":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from harness.sensors.process import Sampler

    return Sampler
