"""Verdicts on time, disk, memory, load, services and limits."""

from harness.doctor.facts import Descriptors, Disk, Load, Memory, Services, TimeSync, Unit
from harness.doctor.findings import Finding
from harness.doctor.verdicts.system import (
    of_descriptors,
    of_disk,
    of_load,
    of_memory,
    of_services,
    of_time,
)

GIB = 2**30


def disk(free_gib: float, **facts: object) -> Finding:
    at = {
        "role": "agent",
        "folder": "~/.cache",
        "existing": "/home",
        "writable": True,
        "total_bytes": 64 * GIB,
        **facts,
    }
    [finding] = of_disk(Disk(free_bytes=int(free_gib * GIB), **at))
    return finding


def memory(available_gib: float, swap_gib: float = 0, swap_free_gib: float = 0) -> Finding:
    sizes = (available_gib, swap_gib, swap_free_gib)
    available, swap, free = (int(size * GIB) for size in sizes)
    facts = Memory(total_bytes=30 * GIB, available_bytes=available, swap_total_bytes=swap, swap_free_bytes=free)
    [finding] = of_memory(facts)
    return finding


def load(**facts: object) -> Finding:
    [finding] = of_load(Load(**{"cores": 12, "average_1m": 0.5, **facts}))
    return finding


def services(*units: Unit, version: int = 249, booted: bool = True) -> Finding:
    [finding] = of_services(Services(version=version, booted=booted, units=units))
    return finding


AGENT = Unit(name="federa-bench-agent@orin-01.service", active="active", finer="running", restarts=0)


def test_a_clock_that_is_synchronised() -> None:
    [good] = of_time(TimeSync(synchronised=True, max_error_s=0.0123, daemons=("chrony",)))
    assert (good.state, good.says) == ("ok", "synchronised by chrony, within 0.0123 s")


def test_a_clock_that_is_not_warns_and_one_that_is_silent_is_skipped() -> None:
    [bad] = of_time(TimeSync(synchronised=False, daemons=("systemd-timesyncd",)))
    assert (bad.state, bad.says) == ("warn", "not synchronised, though systemd-timesyncd runs")
    assert of_time(TimeSync())[0].state == "skipped"


def test_space_on_the_disk() -> None:
    assert disk(20).says == "cache in ~/.cache: 20 GiB of 64 GiB free"
    assert [disk(free).state for free in (20, 3, 0.5)] == ["ok", "warn", "fail"]
    assert disk(6, role="controller").state == "warn"
    assert disk(20, writable=False).state == "fail"


def test_memory_and_swap() -> None:
    assert [memory(available).state for available in (20, 1.5, 0.3)] == ["ok", "warn", "fail"]
    assert memory(20, swap_gib=15, swap_free_gib=15).says == "20 GiB of 30 GiB available, swap 0 GiB of 15 GiB used"
    assert memory(20, swap_gib=15, swap_free_gib=10).state == "warn"


def test_others_that_keep_the_machine_busy_are_named() -> None:
    busy = load(busy_cores=6.2, busiest="gnome-shell")
    assert (busy.state, busy.says) == ("warn", "average 0.5 of 12 cores, others keep 6.2 busy (gnome-shell)")
    assert load(busy_cores=0.04, busiest="sshd").says == "average 0.5 of 12 cores, others keep 0.0 busy"
    assert load(average_1m=11.0, busy_cores=0.2).state == "ok"
    assert load(gpu=0.97).state == "warn"


def test_units_of_systemd() -> None:
    assert services(AGENT).says == "systemd 249: federa-bench-agent@orin-01.service active"
    assert services().state == "skipped"
    assert services(booted=False).says == "systemd does not run this machine"
    assert services(AGENT, version=245).state == "warn"


def test_a_unit_that_failed_or_starts_again_and_again_fails() -> None:
    again = Unit(name=AGENT.name, active="activating", finer="auto-restart", restarts=17)
    finding = services(again)
    assert (finding.state, "(17 restarts)" in finding.says) == ("fail", True)
    assert finding.do == "see why: journalctl -u federa-bench-agent@orin-01.service -n 50"
    assert services(Unit(name="x.service", active="failed", finer="failed")).state == "fail"


def test_files_and_connections_at_once() -> None:
    [few] = of_descriptors(Descriptors(role="controller", soft=1024, hard=4096, wanted=8192))
    assert (few.state, few.says) == ("warn", "files and connections at once: up to 4,096, of 8,192")
    [free] = of_descriptors(Descriptors(role="controller", soft=1024, hard=None, wanted=8192))
    assert (free.state, free.says) == ("ok", "files and connections at once: no limit")
