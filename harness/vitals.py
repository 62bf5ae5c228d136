"""What a device's sensors told while it did something: energy, heat, clocks, throttling. Pure data.

``null`` is "not measured". A figure that would have to be guessed is null, and ``flags`` say why.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Flag = Literal["no samples", "gap", "missing rail", "frozen", "stale", "offline sensor", "throttled", "low coverage"]
"""Why a figure is null or doubtful.

No sample in the time or near it; two samples too far apart; a rail that the total needs has no file; a rail that gives
the same value for too long; a sampler whose values are old; a sensor that says it is off (-256); the device lowered
its own clocks; less of the time was sampled than a figure may stand on.
"""


class Vitals(msgspec.Struct, frozen=True, kw_only=True):
    """From the beginning to the end of a client's task, or of another time, on one device.

    ``source`` is what was read: "ina3221", "jtop", "nvml", "psutil". ``coverage`` is the share of the time, 0 to 1,
    that lies between two samples that are not too far apart. ``energy_j`` is the integral, by trapezoids, over the
    rails that make the total (the carrier board is in none of them); null where one of them misses, is frozen, or has
    a gap. ``rails_j`` has every rail on its own. ``idle_w`` is what the device took while it waited, measured before
    the first task. ``throttle_events`` counts what the device's own counters counted meanwhile.
    """

    source: str
    samples: int
    coverage: float
    energy_j: float | None = None
    rails_j: dict[str, float | None] = {}
    mean_w: float | None = None
    peak_w: float | None = None
    idle_w: float | None = None
    power_mode: str | None = None
    temperature_max_c: float | None = None
    cpu_mean_hz: float | None = None
    gpu_mean_hz: float | None = None
    throttle_events: int | None = None
    memory_peak_bytes: int | None = None
    flags: tuple[Flag, ...] = ()
