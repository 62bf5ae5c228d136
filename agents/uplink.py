"""The uplink as the kernel keeps it: a class of the interface towards the controller, made by the privileged helper."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import msgspec

from harness.errors import ShapingError
from harness.profiles import LinkProfile

if TYPE_CHECKING:
    from harness.shaping import Applied, Flow

LOST = "the helper for kernel shaping has ended, and the uplink is not shaped any more; start it again"


class Controller(NamedTuple):
    """Where the controller is: the numeric address of the connection that stands, its main port, that of heartbeats."""

    address: str
    port: int
    beat_port: int


class ShaperLike(Protocol):
    """What an agent asks of :class:`harness.shaping.Shaper`."""

    def shape(self, flow: Flow) -> Applied:
        """Keep a flow at its rate."""

    def lost(self) -> bool:
        """Whether the helper has gone."""

    def close(self) -> None:
        """Let go of the helper, and of the flow."""


ConnectShaper = Callable[["Path | None"], ShaperLike]


def connect_shaper(path: Path | None) -> ShaperLike:
    """The project's shaper; imported when a run wants it, so that the agent's start stays light."""
    from harness.shaping import SOCKET, Shaper

    return Shaper.connect(path or SOCKET)


class Uplink:
    """At most one flow in the kernel. ``path`` is the helper's socket; None: where it is by default."""

    def __init__(self, path: Path | None, connect: ConnectShaper = connect_shaper) -> None:
        self._path, self._connect = path, connect
        self._shaper: ShaperLike | None = None
        self._flow: Flow | None = None
        self._applied: Applied | None = None

    def keep(self, flow: Flow) -> None:
        """Have the kernel keep this flow from now on, and no other; one that it keeps already goes on.

        Raises:
            ShapingError: the helper is missing, or cannot.
        """
        if flow == self._flow and not self.lost():
            return
        self.release()
        self._shaper = self._connect(self._path)
        self._applied, self._flow = self._shaper.shape(flow), flow

    def lost(self) -> bool:
        """Whether the kernel keeps a flow no longer that it is meant to keep."""
        return self._shaper is not None and self._shaper.lost()

    def release(self) -> None:
        """Give the flow back."""
        if self._shaper is not None:
            self._shaper.close()
        self._shaper = self._flow = self._applied = None

    def mean_bps(self, from_s: float, until_s: float) -> float | None:
        """What the flow allowed on average between two moments; None: no kernel keeps it."""
        if self._applied is None or self._flow is None:
            return None
        from harness.shaping import mean_bps

        return mean_bps(self._applied, self._flow.rate, from_s, until_s)

    def describe(self) -> dict[str, Any] | None:
        """The flow as the kernel keeps it; None: it keeps none."""
        if self._applied is None:
            return None
        words: dict[str, Any] = msgspec.to_builtins(self._applied)
        return words


def flow_of(link: LinkProfile, link_seed: int, agent: str, there: Controller) -> Flow | None:
    """What an agent sends over this link to its controller; None: as much as it likes.

    Raises:
        ShapingError: nobody knows where the controller is, or its address is of one link, or its ports are none.
    """
    rate = link.rate("up")
    if link.shaping != "kernel" or not rate.shaped:
        return None
    from harness.shaping import Flow, flow_seed

    if not there.address:
        raise ShapingError(
            "the address of the controller is not known, so the kernel cannot tell which packets to shape; "
            "set link.shaping: user"
        )
    seed = flow_seed(link_seed, agent, "up")
    try:
        return Flow(peer=there.address, port=there.port, beat_port=there.beat_port, at="agent", rate=rate, seed=seed)
    except ValueError as error:
        raise ShapingError(f"the way to the controller cannot be shaped ({error}); set link.shaping: user") from None
