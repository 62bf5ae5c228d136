"""All probes at once: whatever one of them does, the others are told, and in time."""

import threading
from pathlib import Path

from made_board import MadeBoard, put, waves

from harness.doctor import as_json, examine
from harness.doctor.examine import carry_out
from harness.doctor.findings import Finding, ok
from harness.doctor.probes import PROBES, Probe
from harness.doctor.reading.place import Place


def good(_: Place) -> list[Finding]:
    return [ok("good", "well")]


def broken(_: Place) -> list[Finding]:
    raise OSError(5, "Input/output error")


def test_a_probe_that_hangs_is_a_finding_and_keeps_nobody_waiting() -> None:
    released = threading.Event()

    def hangs(_: Place) -> list[Finding]:
        released.wait()
        return []

    said = carry_out(Place("agent"), [Probe("stuck", hangs), Probe("good", good)], 0.2)
    released.set()
    assert [(one.name, one.state) for one in said] == [("stuck", "warn"), ("good", "ok")]
    assert said[0].says == "no answer within 0.2 s"


def test_a_probe_that_fails_is_a_finding() -> None:
    [failed, fine] = carry_out(Place("agent"), [Probe("odd", broken), Probe("good", good)], 10.0)
    assert (failed.name, failed.state, "Input/output error" in failed.says) == ("odd", "warn", True)
    assert fine.state == "ok"


def test_lines_come_in_the_order_of_the_list() -> None:
    slow = threading.Event()

    def late(place: Place) -> list[Finding]:
        slow.wait(0.05)
        return [ok("late", "")]

    said = carry_out(Place("agent"), [Probe("late", late), Probe("good", good)], 10.0)
    assert [one.name for one in said] == ["late", "good"]


def test_a_made_board_is_told_from_its_tree_alone(tmp_path: Path) -> None:
    board = MadeBoard(tmp_path)
    board.show(waves)
    put(tmp_path / "etc/group", "video:x:44:\n")
    lines = {one.name: one for one in examine("agent", root=tmp_path, keys=tmp_path, patience_s=60.0)}
    assert lines["board"].says.startswith("NVIDIA Jetson AGX Orin")
    assert (lines["power mode"].state, lines["energy"].state, lines["keys"].state) == ("warn", "ok", "fail")
    assert str(lines["power mode"].do).startswith("sudo nvpmodel -m 0")
    assert [lines[name].state for name in ("wi-fi", "services", "kernel shaping")] == ["skipped"] * 3


def test_this_machine_is_told_within_the_patience_and_as_json() -> None:
    said = examine("controller", connect="tcp://127.0.0.1:9", patience_s=60.0)
    names = [one.name for one in said]
    assert len(set(names)) == len(names) >= len(PROBES)
    assert not [one for one in said if "could not be told" in one.says]
    assert [row["name"] for row in as_json(said)] == names


def test_an_address_that_is_none_spoils_its_own_lines_alone() -> None:
    lines = {one.name: one for one in examine("agent", connect="nonsense", patience_s=60.0)}
    assert "no address of a controller" in lines["controller"].says
    assert lines["python"].state == "ok"
