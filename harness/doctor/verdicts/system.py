"""Time, disk, memory, load, services, limits. Pure."""

from __future__ import annotations

from harness.doctor.facts import Descriptors, Disk, Load, Memory, Services, TimeSync
from harness.doctor.findings import Finding, Value, fail, ok, skipped, warn

GIB = 2**30
LEAST_DISK = {"agent": (1 * GIB, 5 * GIB), "controller": (2 * GIB, 20 * GIB)}
"""Free space below which a run fails, and below which a long one may: base weights and states of a few hundred MB each;
a controller keeps the updates of a round and the states of two."""
LEAST_MEMORY = (GIB // 2, 2 * GIB)
MOST_SWAPPED = 0.1
MOST_BUSY = 0.25
MOST_GPU = 0.2
LEAST_SYSTEMD = 247
"""The first that knows LoadCredential=."""


def of_time(facts: TimeSync) -> list[Finding]:
    """The line "time". Durations come from monotonic clocks; dates in headers and logs from this one."""
    daemons = f" by {', '.join(facts.daemons)}" if facts.daemons else ""
    values: dict[str, Value] = {"synchronised": facts.synchronised, "max_error_s": facts.max_error_s}
    if facts.synchronised is None:
        return [skipped("time", "the kernel does not say whether its clock is synchronised")]
    if facts.synchronised:
        within = f", within {facts.max_error_s:.3g} s" if facts.max_error_s is not None else ""
        return [ok("time", f"synchronised{daemons}{within}", **values)]
    says = "not synchronised" + (f", though {daemons.removeprefix(' by ')} runs" if daemons else "")
    do = "sudo timedatectl set-ntp true; dates and logs of two machines do not fit together, durations do"
    return [warn("time", says, do, **values)]


def of_disk(facts: Disk) -> list[Finding]:
    """The line "disk"."""
    what = "cache" if facts.role == "agent" else "runs"
    free, least, good = facts.free_bytes, *LEAST_DISK[facts.role]
    says = f"{what} in {facts.folder}: {_gib(free)} of {_gib(facts.total_bytes)} free"
    values: dict[str, Value] = {"free_bytes": free, "total_bytes": facts.total_bytes}
    if not facts.writable:
        return [
            fail("disk", f"{facts.existing} may not be written, for {facts.folder}", "give another folder", **values)
        ]
    if free < least:
        return [fail("disk", says, f"free at least {_gib(good)}, or give another folder", **values)]
    if free < good:
        return [warn("disk", says, f"free space up to {_gib(good)} for long runs", **values)]
    return [ok("disk", says, **values)]


def of_memory(facts: Memory) -> list[Finding]:
    """The line "memory"."""
    swapped = facts.swap_total_bytes - facts.swap_free_bytes
    says = f"{_gib(facts.available_bytes)} of {_gib(facts.total_bytes)} available"
    says += f", swap {_gib(swapped)} of {_gib(facts.swap_total_bytes)} used" if facts.swap_total_bytes else ", no swap"
    values: dict[str, Value] = {
        "available_bytes": facts.available_bytes,
        "total_bytes": facts.total_bytes,
        "swapped_bytes": swapped,
    }
    least, good = LEAST_MEMORY
    stop = "stop what else runs; on a board also its desktop: sudo systemctl isolate multi-user.target"
    if facts.available_bytes < least:
        return [fail("memory", says, stop, **values)]
    if facts.available_bytes < good:
        return [warn("memory", says, stop, **values)]
    if swapped > MOST_SWAPPED * facts.total_bytes:
        return [warn("memory", f"{says}: it swaps", f"training that swaps is slow; {stop}", **values)]
    return [ok("memory", says, **values)]


def of_load(facts: Load) -> list[Finding]:
    """The line "load": what others do here."""
    says = f"average {facts.average_1m:.1f} of {facts.cores} cores"
    if facts.busy_cores is not None:
        by = f" ({facts.busiest})" if facts.busiest and facts.busy_cores >= 0.1 else ""
        says += f", others keep {facts.busy_cores:.1f} busy{by}"
    says += f", GPU {facts.gpu:.0%}" if facts.gpu is not None else ""
    values: dict[str, Value] = {
        "average_1m": facts.average_1m,
        "cores": facts.cores,
        "busy_cores": facts.busy_cores,
        "gpu": facts.gpu,
    }
    busy = facts.busy_cores is not None and facts.busy_cores > MOST_BUSY * facts.cores
    if busy or (facts.gpu is not None and facts.gpu > MOST_GPU):
        do = "stop what else runs here: seconds would speak of that as well"
        return [warn("load", says, do, **values)]
    return [ok("load", says, **values)]


def of_services(facts: Services) -> list[Finding]:
    """The line "services": the units of this project, where systemd runs."""
    name = "services"
    if not facts.booted:
        return [skipped(name, "systemd does not run this machine")]
    about = f"systemd {facts.version}" if facts.version is not None else "systemd"
    if not facts.units:
        return [skipped(name, f"{about}; no units of federa-bench are here", "docs/systemd.md, or make deploy")]
    listed = ", ".join(f"{unit.name} {unit.active}{_again(unit.restarts)}" for unit in facts.units)
    values: dict[str, Value] = {"systemd": facts.version, **{unit.name: unit.active for unit in facts.units}}
    broken = [unit for unit in facts.units if unit.active == "failed" or unit.finer == "auto-restart"]
    if broken:
        do = f"see why: journalctl -u {broken[0].name} -n 50"
        return [fail(name, f"{listed} ({broken[0].finer})", do, **values)]
    if facts.version is not None and facts.version < LEAST_SYSTEMD:
        do = "the agent reads its key itself there: NAME.secret has to belong to federa-bench (docs/systemd.md)"
        return [warn(name, f"{about}: {listed}", do, **values)]
    return [ok(name, f"{about}: {listed}", **values)]


def _again(restarts: int | None) -> str:
    return f" ({restarts} restarts)" if restarts else ""


def of_descriptors(facts: Descriptors) -> list[Finding]:
    """The line "descriptors": files and connections that a process may have open."""
    says = "files and connections at once: " + ("no limit" if facts.hard is None else f"up to {facts.hard:,}")
    values: dict[str, Value] = {"soft": facts.soft, "hard": facts.hard}
    if facts.hard is not None and facts.hard < facts.wanted:
        do = f"ulimit -Hn {facts.wanted}, or LimitNOFILE={facts.wanted} in the unit"
        return [warn("descriptors", f"{says}, of {facts.wanted:,}", do, **values)]
    return [ok("descriptors", says, **values)]


def _gib(count_bytes: int) -> str:
    return f"{count_bytes / GIB:.3g} GiB"
