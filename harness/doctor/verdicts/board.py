"""Power mode, clocks, heat, throttling, sensors of energy. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from harness.doctor.facts import Clock, Clocks, Heat, PowerMode, Sensors, Throttling
from harness.doctor.findings import Finding, Value, ok, skipped, warn

HOT_C = 85.0
NEAR_K = 10.0
"""Kelvin below the first limit of a zone from which on it counts as near."""
OFFLINE_C = -256.0
STEADY_GOVERNORS = ("performance", "schedutil")
SELF_DRIVEN = ("intel_pstate", "amd-pstate-epp")
"""Drivers under which "powersave" is a word for the processor's own choice, and not for its lowest clock."""
OVER_CURRENT = {"oc1": "under voltage", "oc2": "average over-current", "oc3": "instantaneous over-current"}
"""Counters of an Orin, as its developer guide names them."""


def of_power_mode(facts: PowerMode) -> list[Finding]:
    """The line "power mode". The number of MAXN is not 0 on every board, so it is looked up by its name."""
    name = "power mode"
    if not facts.jetson:
        return [skipped(name, "no Jetson here")]
    if facts.mode is None:
        return [warn(name, "unknown: nvpmodel has stored none", "see what it says: sudo nvpmodel -q")]
    shown = facts.names.get(facts.mode, f"number {facts.mode}")
    cores = f"; cores {facts.offline_cores} are off" if facts.offline_cores else ""
    if shown.upper().startswith("MAXN"):
        return [ok(name, f"{shown}{cores}", mode=facts.mode, mode_name=shown)]
    best = [number for number, word in facts.names.items() if word.upper().startswith("MAXN")]
    do = f"sudo nvpmodel -m {best[0]}" if best else "see the modes: nvpmodel -p --verbose"
    says = f"{shown}{cores}, which caps clocks or cores"
    return [warn(name, says, f"{do}; or keep it, and compare with the like alone", mode=facts.mode, mode_name=shown)]


def of_clocks(facts: Clocks) -> list[Finding]:
    """Lines "governor" and "clocks"."""
    return [_governor(facts.cpu), _locked(facts)]


def _governor(cpu: Sequence[Clock]) -> Finding:
    governors = sorted({clock.governor for clock in cpu if clock.governor})
    if not governors:
        return skipped("governor", "the kernel shows none")
    says = ", ".join(governors)
    slow = [one for one in cpu if one.governor not in STEADY_GOVERNORS and one.driver not in SELF_DRIVEN]
    if any(clock.governor for clock in slow):
        do = "echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor"
        return warn("governor", f"{says}: clocks follow the load slowly", do, governor=says)
    return ok("governor", says, governor=says)


def _locked(facts: Clocks) -> Finding:
    clocks = [clock for clock in (*facts.cpu, *facts.gpu) if clock.min_hz is not None and clock.max_hz]
    if not clocks:
        return skipped("clocks", "the kernel shows none")
    says = ", ".join(filter(None, (_range("CPU", facts.cpu), _range("GPU", facts.gpu))))
    moving = [clock for clock in clocks if clock.min_hz != clock.max_hz]
    values: dict[str, Value] = {"cpu_max_hz": _most(facts.cpu), "gpu_max_hz": _most(facts.gpu), "locked": not moving}
    if moving and facts.jetson:
        do = "sudo jetson_clocks (again after each start of the board)"
        return warn("clocks", f"{says}: they move with the load", do, **values)
    return ok("clocks", says, **values)


def _range(what: str, clocks: Sequence[Clock]) -> str:
    bounds = [(clock.min_hz, clock.max_hz) for clock in clocks if clock.min_hz is not None and clock.max_hz]
    if not bounds:
        return ""
    low, high = min(low for low, _ in bounds) / 1e9, max(high for _, high in bounds) / 1e9
    limits = [clock.hardware_max_hz for clock in clocks if clock.hardware_max_hz]
    capped = f", capped from {max(limits) / 1e9:.2f}" if limits and max(limits) / 1e9 > high + 0.005 else ""
    return f"{what} {low:.2f} to {high:.2f} GHz{capped}" if low != high else f"{what} at {high:.2f} GHz{capped}"


def _most(clocks: Sequence[Clock]) -> float | None:
    return max((clock.max_hz for clock in clocks if clock.max_hz), default=None)


def of_throttling(facts: Throttling) -> list[Finding]:
    """The line "throttling": what was counted since the machine started."""
    if not facts.counts:
        return [skipped("throttling", "no counters here")]
    some = {name: count for name, count in sorted(facts.counts.items()) if count}
    if not some:
        return [ok("throttling", "none since this machine started", **facts.counts)]
    listed = ", ".join(f"{count:,} x {OVER_CURRENT.get(name, name)}" for name, count in some.items())
    do = "cool it, give it a supply for its peaks, or a lower power mode; a run counts those of its own time"
    return [warn("throttling", f"since this machine started: {listed}", do, **facts.counts)]


def of_heat(facts: Heat) -> list[Finding]:
    """The line "temperature": how near the hottest zone is to where it throttles."""
    off = sorted(zone for zone, celsius in facts.zones.items() if celsius is None or celsius <= OFFLINE_C)
    read = {zone: celsius for zone, celsius in facts.zones.items() if celsius is not None and celsius > OFFLINE_C}
    if not read:
        return [skipped("temperature", "no zone can be read" if facts.zones else "no sensors here")]
    near = {zone: celsius - facts.limits.get(zone, HOT_C + NEAR_K) for zone, celsius in read.items()}
    zone = max(near, key=lambda one: near[one])
    said = f"{zone} {read[zone]:.0f} C" + (f", throttles at {facts.limits[zone]:.0f}" if zone in facts.limits else "")
    silent = f"; off: {', '.join(off)}" if off else ""
    values: dict[str, Value] = {"zone": zone, "temperature_c": read[zone], "limit_c": facts.limits.get(zone)}
    if near[zone] > -NEAR_K:
        do = "let it cool before a run; see that its fan turns and air moves"
        return [warn("temperature", f"{said}{silent}", do, **values)]
    return [ok("temperature", f"{said}{silent}", **values)]


def of_sensors(facts: Sensors) -> list[Finding]:
    """The line "energy": whether the sampler runs, and whether what it reads makes joules."""
    name, rails = "energy", ", ".join(facts.rails)
    values: dict[str, Value] = {"source": facts.source, "samples": facts.samples, "rails": rails}
    if not facts.samples:
        do = "see what it says: python -m harness.sensors.sampler --root / --hz 2"
        return [warn(name, "the sampler of sensors gave no sample", do, **values)]
    if facts.closed:
        do = "see whether they can be read: cat /sys/bus/i2c/drivers/ina3221/*/hwmon/hwmon*/curr*_input"
        return [warn(name, f"{facts.source}: no value of {', '.join(facts.closed)}", do, **values)]
    if facts.rails and (facts.missing or not facts.total):
        lacks = f"without {', '.join(facts.missing)}" if facts.missing else "and which make a total is not known"
        do = "docs/energy.md says which rails make a total; till then energy is null, single rails are kept"
        return [warn(name, f"{facts.source}: {rails}, {lacks}", do, **values)]
    if facts.total:
        return [ok(name, f"{facts.source}: {rails}; the total is {' + '.join(facts.total)}", **values)]
    if facts.jetson:
        do = "is the driver loaded? ls /sys/bus/i2c/drivers/ina3221"
        return [warn(name, f"{facts.source} alone: no power rails, so energy will be null", do, **values)]
    return [skipped(name, f"{facts.source} alone: no power sensors here, so energy will be null")]
