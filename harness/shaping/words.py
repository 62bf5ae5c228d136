"""What the helper that may change network interfaces is asked, and what it answers. Pure data.

Both travel as msgpack over a SOCK_SEQPACKET socket, one message a packet; unknown fields are refused. The helper takes
nothing that could become a command: only addresses, ports, rates and seeds, each within its limits.
"""

from __future__ import annotations

from typing import Annotated, Literal, Union

import msgspec
from msgspec import Meta

from harness.links.kernel import Flow, Port, address_of

SOCKET = "/run/federa-bench/shaper.sock"
MAX_REQUEST_BYTES = 128 * 1024
"""A recorded trace of ten thousand rates fits."""

Address = Annotated[str, Meta(max_length=64)]


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """A flow as the kernel keeps it now.

    ``rate_mbps`` is a constant rate of payload. Of one that changes it is null, and ``trace_sha256`` (of the rates and
    their step as JSON), ``step_s``, ``offset`` (at which of the recorded rates it began) and ``seed`` say which trace
    is replayed. ``begun_s`` is CLOCK_MONOTONIC at its beginning; ``commands`` are those that were carried out.
    """

    interface: str
    kind: Literal["htb"] = "htb"
    rate_mbps: float | None = None
    trace_sha256: str | None = None
    step_s: float | None = None
    offset: int = 0
    seed: int = 0
    begun_s: float
    commands: tuple[str, ...] = ()


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """The kernel's own counters of a flow's class, since it was made; ``at_s`` is CLOCK_MONOTONIC.

    Bytes are of whole frames, headers included. ``overlimits``: how often a packet had to wait for the rate.
    """

    sent_bytes: int
    sent_packets: int
    dropped: int
    overlimits: int
    backlog_bytes: int
    at_s: float


class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type"):
    """Base of what a client asks."""


class Shape(Request, frozen=True, kw_only=True, tag="shape"):
    """Keep this flow at its rate, as long as this connection lives."""

    flow: Flow


class OfFlow(Request, frozen=True, kw_only=True):
    """Base of what is asked about a flow that is kept."""

    peer: Address
    port: Port
    at: Literal["agent", "controller"]

    @property
    def key(self) -> tuple[str, int, str]:
        """As :attr:`harness.links.kernel.Flow.key`. Raises ValueError where the address is none."""
        return str(address_of(self.peer)), self.port, self.at


class Release(OfFlow, frozen=True, kw_only=True, tag="release"):
    """Do not keep it any longer."""


class Count(OfFlow, frozen=True, kw_only=True, tag="count"):
    """How much has gone through its class?"""


class Check(Request, frozen=True, kw_only=True, tag="check"):
    """Could a flow to this address be shaped? Its interface gets the tree without limits, and loses it again."""

    peer: Address


class Reply(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type"):
    """Base of what the helper answers."""


class Shaped(Reply, frozen=True, kw_only=True, tag="shaped"):
    """The flow is kept, and was looked for."""

    applied: Applied


class Released(Reply, frozen=True, kw_only=True, tag="released"):
    """It is gone."""


class Counts(Reply, frozen=True, kw_only=True, tag="counts"):
    """What went through."""

    counted: Counted


class Checked(Reply, frozen=True, kw_only=True, tag="checked"):
    """It could, at this interface."""

    interface: str


class Refused(Reply, frozen=True, kw_only=True, tag="refused"):
    """It was not done; ``reason`` is a clause for people."""

    reason: Annotated[str, Meta(max_length=2000)]


AnyRequest = Union[Shape, Release, Count, Check]
AnyReply = Union[Shaped, Released, Counts, Checked, Refused]
