"""How long a transfer takes over a link: by its rate and latency, or by its table. For virtual clocks and retiming."""

from __future__ import annotations

from typing import NamedTuple

from harness.errors import ProfileError
from harness.links.shape import trace_of
from harness.profiles import LinkProfile, Setting


class Moved(NamedTuple):
    """A transfer by the model: its seconds, and the mean rate the link allowed meanwhile (None: not shaped)."""

    seconds: float
    link_bps: float | None


def transfer(
    link: LinkProfile, setting: Setting, link_seed: int, round: int, client: int, direction: str, size_bytes: float
) -> Moved:
    """A transfer of ``size_bytes`` payload, with the trace that a real one of this round and client would have.

    By rate: overhead + a round trip of latency + what the trace takes for the bytes. By table: what it says, whatever
    the bytes. The first shipping of factors (``direction`` init) is in no table: it takes nothing there, as in
    FeDeRA's arithmetic (Table 5), where only the SVD is paid once.

    Raises:
        ProfileError: the table has no entry for the setting.
    """
    if link.transfers:
        return Moved(0.0 if direction == "init" else _looked_up(link, setting), None)
    trace = trace_of(link, link_seed, round, client, direction)
    if trace is None:
        return Moved(link.overhead_s + 2 * link.latency_s, None)
    flow_s = trace.time_for(size_bytes)
    return Moved(link.overhead_s + 2 * link.latency_s + flow_s, trace.mean_bps(flow_s))


def achieved_bps(size_bytes: int, seconds: float) -> float:
    """The rate of a transfer over all of its seconds, in bit/s; 0 of one that took none."""
    return size_bytes * 8 / seconds if seconds > 0 else 0.0


def _looked_up(link: LinkProfile, setting: Setting) -> float:
    for entry in link.transfers:
        if (entry.model, entry.method) == (setting.model, setting.method) and entry.rank in (None, setting.rank):
            return entry.transfer_s
    known = ", ".join(dict.fromkeys(f"{entry.model} {entry.method}" for entry in link.transfers))
    raise ProfileError(
        f"link '{link.name}' has no seconds for {setting.method} of rank {setting.rank} on model '{setting.model}', "
        f"only for: {known}; choose a link with a rate, or say in model.timed_as what the model stands for"
    )
