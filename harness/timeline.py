"""When the phases of a client's task began, and how the clocks of its agent and of the run are apart. Pure data."""

from __future__ import annotations

import msgspec


class Offset(msgspec.Struct, frozen=True, kw_only=True):
    """A stamp of the agent's monotonic clock plus ``offset_s`` is one of the run's clock, within +- ``uncertainty_s``.

    Of the exchange of heartbeats with the shortest round trip near a transfer; the uncertainty is half of that time.
    """

    offset_s: float
    uncertainty_s: float


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """``arrived_s`` is the agent's monotonic clock as the task came; each of ``phase_at_s`` (download, load, train,
    serialise, upload) is when that phase began, in seconds since then.

    ``download`` and ``upload`` are the offsets measured with these transfers (null: no heartbeat was answered near
    them). Of a virtual fleet the agent's clock is the run's, and both offsets are 0 +- 0.
    """

    arrived_s: float
    phase_at_s: dict[str, float]
    download: Offset | None = None
    upload: Offset | None = None
