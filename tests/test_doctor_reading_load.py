"""What others do on this machine, without what this process and its children do."""

import os
from pathlib import Path

from made_board import put

from harness.doctor.reading.load import Look, Spent, load, look, others
from harness.doctor.reading.place import Place

OWN, CHILD, GRANDCHILD, OTHER, LAZY = 10, 11, 12, 20, 21


def looked(at_s: float, ticks: int, own: int, child: int, other: int, ended: int = 0) -> Look:
    spent = {
        OWN: Spent("python", 1, own, ended),
        CHILD: Spent("python", OWN, child, 0),
        GRANDCHILD: Spent("trainer", CHILD, child, 0),
        OTHER: Spent("gnome-shell", 1, other, 0),
        LAZY: Spent("sshd", 1, 0, 0),
    }
    return Look(at_s, ticks, spent)


def test_this_process_its_children_and_theirs_are_no_others() -> None:
    first, second = looked(0.0, 0, 0, 0, 0), looked(2.0, 500, 100, 50, 200)
    assert others(first, second, OWN, 100) == ((500 - 100 - 50 - 50) / 100 / 2, "gnome-shell")


def test_children_that_ended_meanwhile_are_none_either() -> None:
    assert others(looked(0.0, 0, 0, 0, 0), looked(1.0, 80, 0, 0, 0, ended=80), OWN, 100) == (0.0, None)


def test_two_looks_at_one_moment_say_nothing() -> None:
    assert others(looked(1.0, 0, 0, 0, 0), looked(1.0, 0, 0, 0, 0), OWN, 100) == (None, None)


def test_a_look_at_this_machine_finds_this_process() -> None:
    seen = look(Path("/"))
    assert seen.ticks > 0
    assert seen.spent[os.getpid()].parent == os.getppid()


def test_a_name_with_brackets_and_blanks_is_read(tmp_path: Path) -> None:
    put(tmp_path / "proc/stat", "cpu  100 10 50 1000 20 3 2 1 0 0")
    put(tmp_path / "proc/7/stat", "7 (a (b) c) S 1 7 7 0 -1 4194560 1 0 0 0 30 12 5 6 20 0 1 0 100 0 0")
    put(tmp_path / "proc/8/stat", "8 (gone")
    seen = look(tmp_path)
    assert (seen.ticks, seen.spent) == (166, {7: Spent("a (b) c", 1, 42, 11)})


def test_a_made_tree_has_averages_and_the_gpu_s_load(tmp_path: Path) -> None:
    assert load(Place("agent", tmp_path)) is None
    put(tmp_path / "proc/loadavg", "1.50 1.07 0.92 2/128 17566")
    put(tmp_path / "sys/devices/platform/gpu.0/load", 345)
    for core in range(4):
        put(tmp_path / f"sys/devices/system/cpu/cpu{core}/online", 1)
    facts = load(Place("agent", tmp_path))
    assert facts is not None
    assert (facts.average_1m, facts.cores, facts.gpu, facts.busy_cores) == (1.5, 4, 0.345, None)
