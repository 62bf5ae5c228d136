"""What an agent may be given in place of the project's own tools, and where those are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from agents.telemetry import StartSampler
from agents.uplink import ConnectShaper


@dataclass(frozen=True)
class Tools:
    """Where an agent's tools are. ``sys_root`` is where /sys and /proc are: a made tree stands in for a board.

    ``shaper`` is the socket of the helper for kernel shaping (None: where it is by default), ``keys`` and ``cache`` the
    folders that the doctor looks at. The others are the project's own sampler, shaper and doctor, unless given;
    ``examine`` () asks no doctor: the controller of the same machine does.
    """

    sys_root: Path = Path("/")
    shaper: Path | None = None
    keys: Path | None = None
    cache: Path | None = None
    start_sampler: StartSampler | None = None
    connect_shaper: ConnectShaper | None = None
    examine: tuple[str, ...] | None = None
