"""The link towards each agent, kept by the kernel of this machine: shaped from its first timed transfer until it is
lost. Without ``shaping: kernel`` there is nothing to do: agents keep their link themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Protocol

import msgspec

from harness.errors import ShapingError, UsageError
from harness.keys.choice import is_loopback
from harness.profiles import LinkProfile
from harness.shaping import Applied, Counted, Flow, flow_seed, mean_bps, needs_kernel

INSTEAD = "set link.shaping: user"


class Shaping(Protocol):
    """What is asked of :class:`harness.shaping.Shaper`."""

    def shape(self, flow: Flow) -> Applied:
        """Keep a flow at its rate from now on."""

    def release(self, flow: Flow) -> None:
        """Keep it no longer."""

    def counted(self, flow: Flow) -> Counted:
        """What went through so far."""

    def check(self, peer: str) -> str:
        """The interface towards an address, where flows to it could be shaped."""

    def lost(self) -> bool:
        """Whether the helper has gone, and the flows with it."""


def check_devices(link: LinkProfile, local: bool, bind: str | None) -> None:
    """See that agents have devices of their own where their link is to be kept by the kernel.

    ``local``: agents are started on this machine; ``bind`` is what --bind says.

    Raises:
        UsageError: they have none.
    """
    if not needs_kernel(link):
        return
    why = f"link '{link.name}' is kept by the kernel (link.shaping: kernel)"
    if local:
        raise UsageError(
            f"{why}, which needs agents on devices of their own, and those of this machine have none; start them "
            f"elsewhere and give --external, or {INSTEAD}"
        )
    if bind is None or is_loopback(bind):
        raise UsageError(
            f"{why}, which needs agents on devices of their own, and none could reach this controller; give "
            f"--bind tcp://0.0.0.0:5555, or {INSTEAD}"
        )


@dataclass
class _Shaped:
    flow: Flow
    applied: Applied


class Downlinks:
    """Nothing is kept here: where ``shaping`` is "user", agents ask for chunks at the pace of their links."""

    def refusal(self, agent: str, address: str, others: Mapping[str, str]) -> str | None:
        """Why this agent's link cannot be kept, in words; None if it can. ``others``: other agents that are here, with
        the addresses that they are behind.
        """
        return None

    def keep(self, agent: str, address: str) -> None:
        """From now on what goes to this agent is kept at the link's rate. Said again, nothing changes.

        Raises:
            ShapingError: it cannot be.
        """

    def release(self, agent: str) -> None:
        """This agent is lost."""

    def check(self) -> None:
        """See that the links are still kept.

        Raises:
            ShapingError: they are not: what was measured since then is of no use.
        """

    def allowed_bps(self, agent: str, claimed_bps: float | None, window_s: tuple[float, float] | None) -> float | None:
        """What the link to this agent allowed on average between two moments of this machine's monotonic clock (None:
        they are not known); ``claimed_bps`` is what the agent says.
        """
        return claimed_bps

    def close(self) -> None:
        """Release them all."""


class KernelDownlinks(Downlinks):
    """The flows of one run. ``port`` and ``beat_port`` are the controller's; ``tell`` is told what was applied, by
    agent, as it changes.
    """

    def __init__(
        self,
        shaper: Shaping,
        link: LinkProfile,
        link_seed: int,
        port: int,
        beat_port: int,
        tell: Callable[[dict[str, Any]], None],
    ) -> None:
        self._shaper, self._rate, self._link_seed = shaper, link.rate("down"), link_seed
        self._port, self._beat_port, self._tell = port, beat_port, tell
        self._shaped: dict[str, _Shaped] = {}
        self._told: dict[str, Any] = {}

    def refusal(self, agent: str, address: str, others: Mapping[str, str]) -> str | None:
        """An agent needs an address of its own, of another machine, towards which the kernel can shape."""
        if not address or ip_address(address).is_loopback:
            return f"agent {agent} is on the controller's own machine, where no link can be shaped; {INSTEAD}"
        for other, behind in others.items():
            if behind == address:
                return (
                    f"agents {other} and {agent} are both behind {address}, and the kernel shapes one link for an "
                    f"address; give each an address of its own, or {INSTEAD}"
                )
        try:
            if self._rate.shaped:
                self._shaper.check(address)
        except ShapingError as error:
            return str(error)
        return None

    def keep(self, agent: str, address: str) -> None:
        """Have the kernel shape a flow, for as long as the agent is behind this address."""
        before = self._shaped.get(agent)
        if not self._rate.shaped or (before is not None and before.flow.peer == address):
            return
        self.release(agent)
        flow = Flow(
            peer=address,
            port=self._port,
            beat_port=self._beat_port,
            at="controller",
            rate=self._rate,
            seed=flow_seed(self._link_seed, agent, "down"),
        )
        self._shaped[agent] = _Shaped(flow, self._shaper.shape(flow))
        self._note(agent)

    def release(self, agent: str) -> None:
        """Release its flow; what went through it is noted."""
        if agent not in self._shaped:
            return
        self._note(agent)
        with suppress(ShapingError):  # the helper has gone, and the flow with it: told of by check()
            self._shaper.release(self._shaped[agent].flow)
        del self._shaped[agent]

    def close(self) -> None:
        """Release them all."""
        for agent in list(self._shaped):
            self.release(agent)

    def check(self) -> None:
        """The helper removes all flows when it ends."""
        if self._shaped and self._shaper.lost():
            raise ShapingError(
                "the helper for kernel shaping has ended, and links are not shaped any more; start it again "
                f"(federa-bench shaper, as root), then go on with `federa-bench resume`, or {INSTEAD} in a new run"
            )

    def allowed_bps(self, agent: str, claimed_bps: float | None, window_s: tuple[float, float] | None) -> float | None:
        """By what was applied. None where the link has no rate, or one that depends on moments that are not known."""
        shaped = self._shaped.get(agent)
        if shaped is None:
            return None
        if window_s is None:
            if self._rate.rate_mbps is None:
                return None
            window_s = (shaped.applied.begun_s, shaped.applied.begun_s + 1.0)
        from_s, until_s = max(shaped.applied.begun_s, window_s[0]), window_s[1]
        return mean_bps(shaped.applied, self._rate, from_s, until_s) if from_s < until_s else None

    def _note(self, agent: str) -> None:
        """What was applied, and the kernel's own count of what went through."""
        shaped = self._shaped[agent]
        told: dict[str, Any] = {"peer": shaped.flow.peer, **msgspec.to_builtins(shaped.applied), "counted": None}
        with suppress(ShapingError):  # no count is no reason to end a run
            told["counted"] = msgspec.to_builtins(self._shaper.counted(shaped.flow))
        self._told[agent] = told
        self._tell(dict(self._told))
