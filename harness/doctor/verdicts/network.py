"""Wires, radio, the way to the controller, and the shaping of it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from harness.doctor.facts import Radio, Reach, Shaping, Wire
from harness.doctor.findings import Finding, Value, fail, ok, skipped, warn

SLOW_ROUND_TRIP_S = 0.010
LEAST_WIRE_MBPS = 1000
WEAK_DBM = -70.0
LEAST_RADIO_MBPS = 50.0


def of_reach(facts: Reach | None) -> list[Finding]:
    """The line "controller": the median of round trips. An agent may wait for a controller that does not run yet."""
    name = "controller"
    if facts is None:
        return [skipped(name, "not asked", "give its address: --connect tcp://HOST:PORT")]
    over = f" over {facts.interface}" if facts.interface else ""
    if not facts.round_trips_s:
        do = "is it up, on this network, and does a firewall let the port through?"
        return [fail(name, f"{facts.address} cannot be reached{over}: {facts.problem or 'no answer'}", do)]
    typical_s = median(facts.round_trips_s)
    says = f"{facts.address}: round trip {typical_s * 1e3:.1f} ms{over}"
    values: dict[str, Value] = {
        "round_trip_s": round(typical_s, 6),
        "interface": facts.interface,
        "listens": facts.listens,
    }
    if not facts.listens:
        do = "start the run there, or mend HOST:PORT; an agent waits for it"
        return [warn(name, f"{says}; nothing listens", do, **values)]
    if typical_s > SLOW_ROUND_TRIP_S:
        do = "use a wire, or take power saving off the radio; each transfer waits for this"
        return [warn(name, f"{says}, slow", do, **values)]
    return [ok(name, says, **values)]


def of_wires(wires: Sequence[Wire]) -> list[Finding]:
    """The line "ethernet": the slowest wire that is up."""
    name = "ethernet"
    up = [wire for wire in wires if wire.up]
    if not up:
        return [skipped(name, "no wire is up" if wires else "no wired interface here")]
    known = [wire for wire in up if wire.rate_mbps is not None]
    if not known:
        return [skipped(name, f"{', '.join(wire.name for wire in up)} up; its rate is not told")]
    slow = min(known, key=lambda wire: wire.rate_mbps or 0)
    says = ", ".join(f"{wire.name} {wire.rate_mbps} Mbit/s{_half(wire)}" for wire in known)
    values: dict[str, Value] = {"interface": slow.name, "rate_mbps": slow.rate_mbps, "duplex": slow.duplex}
    if (slow.rate_mbps or 0) < LEAST_WIRE_MBPS or any(wire.duplex == "half" for wire in known):
        do = f"use a cable and a switch for 1000 Mbit/s, and let both ends negotiate (ethtool {slow.name})"
        return [warn(name, says, do, **values)]
    return [ok(name, says, **values)]


def _half(wire: Wire) -> str:
    return ", half duplex" if wire.duplex == "half" else ""


def of_radios(radios: Sequence[Radio]) -> list[Finding]:
    """The line "wi-fi"; never a failure where there is none."""
    if not radios:
        return [skipped("wi-fi", "no wireless interface here")]
    up = [radio for radio in radios if radio.up]
    if not up:
        return [skipped("wi-fi", f"{', '.join(radio.name for radio in radios)} is not connected")]
    return [_radio(radio) for radio in up[:2]]


def _radio(radio: Radio) -> Finding:
    saving = {True: "power saving on", False: "power saving off", None: "power saving unknown"}[radio.power_save]
    told = [f"{radio.name}: {saving}"]
    told += [f"{radio.bitrate_mbps:g} Mbit/s"] if radio.bitrate_mbps is not None else []
    told += [f"{radio.signal_dbm:.0f} dBm"] if radio.signal_dbm is not None else []
    do = _radio_advice(radio)
    values: dict[str, Value] = {
        "interface": radio.name,
        "power_save": radio.power_save,
        "bitrate_mbps": radio.bitrate_mbps,
        "signal_dbm": radio.signal_dbm,
        "frequency_mhz": radio.frequency_mhz,
    }
    return Finding(name="wi-fi", state="warn" if do else "ok", says=", ".join(told), do=do, values={**values})


def _radio_advice(radio: Radio) -> str | None:
    if radio.power_save:
        return f"sudo iw dev {radio.name} set power_save off: it costs tens of milliseconds each way"
    if radio.power_save is None:
        return "sudo apt install iw, then ask again: power saving costs tens of milliseconds each way"
    if radio.signal_dbm is not None and radio.signal_dbm < WEAK_DBM:
        return "move it nearer to the access point, or use a wire"
    if radio.bitrate_mbps is not None and radio.bitrate_mbps < LEAST_RADIO_MBPS:
        return "use 5 GHz, or a wire: the radio is slower than the links that are shaped on it"
    return None


def of_shaping(facts: Shaping) -> list[Finding]:
    """The line "kernel shaping". Shaping in user space needs nothing, so that there is none is no fault."""
    name, values = "kernel shaping", {"interface": facts.interface}
    if facts.missing:
        says = f"not possible, {' and '.join(facts.missing)} not here; user-space shaping is"
        return [skipped(name, says, f"sudo apt install iproute2 ({_NEEDED})")]
    if facts.disciplines is False:
        return [skipped(name, "not possible, this kernel has no htb or tbf; user-space shaping is", _NEEDED)]
    if not facts.runs:
        says = "tc is here, its helper does not run; user-space shaping works"
        return [skipped(name, says, f"start it: {_START} ({_NEEDED})")]
    if facts.problem is not None:
        says, _, do = facts.problem.partition("; ")
        return [warn(name, says, do or _NEEDED, **values)]
    over = f", towards the controller over {facts.interface}" if facts.interface else ""
    return [ok(name, f"tc is here, the helper answers{over}", **values)]


_START = 'sudo "$(command -v federa-bench)" shaper --group "$(id -gn)"'
"""sudo has a search path of its own, without the virtual environment."""
_NEEDED = "needed for `link.shaping: kernel` alone, docs/shaping.md"
