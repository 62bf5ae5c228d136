"""What is read of time, disk, memory, services and limits."""

import resource
from pathlib import Path

from made_board import MadeBoard, put

from harness.doctor.reading.place import Place
from harness.doctor.reading.system import descriptors, disk, memory, services, time_sync, units_of

SHOWN = """\
NRestarts=3
Id=federa-bench-agent@orin-01.service
ActiveState=activating
SubState=auto-restart

NRestarts=0
Id=federa-bench-shaper.service
ActiveState=active
SubState=running

Id=system-federa\\x2dbench.slice
ActiveState=active
"""


def test_the_kernel_is_asked_for_the_state_of_its_clock() -> None:
    facts = time_sync(Place("agent"))
    assert facts.synchronised in (True, False, None)
    assert (facts.max_error_s is None) == (facts.synchronised is None)


def test_the_daemons_that_set_a_clock(tmp_path: Path) -> None:
    put(tmp_path / "proc/501/comm", "chronyd")
    put(tmp_path / "proc/502/comm", "bash")
    assert time_sync(Place("agent", tmp_path)).daemons == ("chrony",)
    assert time_sync(Place("agent", tmp_path)).synchronised is None
    put(tmp_path / "run/systemd/timesync/synchronized", "")
    assert time_sync(Place("agent", tmp_path)).synchronised is True


def test_space_where_a_folder_would_be(tmp_path: Path) -> None:
    facts = disk(Place("agent", folder=tmp_path / "a" / "b"))
    assert (facts.existing, facts.folder) == (str(tmp_path), str(tmp_path / "a" / "b"))
    assert 0 < facts.free_bytes < facts.total_bytes
    assert facts.writable


def test_the_folder_of_a_role_that_names_none() -> None:
    assert disk(Place("agent")).folder == "~/.cache/federa-bench"
    assert disk(Place("controller")).folder == "runs"


def test_memory_of_a_made_board(tmp_path: Path) -> None:
    assert memory(Place("agent", tmp_path)) is None
    MadeBoard(tmp_path)
    facts = memory(Place("agent", tmp_path))
    assert facts is not None
    assert (facts.total_bytes, facts.available_bytes, facts.swap_total_bytes) == (31456000 * 1024, 21456000 * 1024, 0)


def test_units_as_systemd_shows_them() -> None:
    agent, shaper = units_of(SHOWN)
    assert (agent.name, agent.active, agent.finer, agent.restarts) == (
        "federa-bench-agent@orin-01.service",
        "activating",
        "auto-restart",
        3,
    )
    assert (shaper.active, shaper.restarts) == ("active", 0)
    assert units_of("") == ()


def test_a_machine_without_systemd_has_no_units(tmp_path: Path) -> None:
    facts = services(Place("agent", tmp_path))
    assert (facts.booted, facts.units, facts.version) == (False, (), None)


def test_the_limit_of_this_process() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    facts = descriptors(Place("controller"))
    assert (facts.soft, facts.hard, facts.wanted) == (soft, hard, 8192)
    assert descriptors(Place("agent")).wanted == 1024
