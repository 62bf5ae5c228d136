"""What a board says of itself, from a made tree."""

from __future__ import annotations

from pathlib import Path

from made_board import MadeBoard, put, waves

from harness.sensors import ina3221
from harness.sensors.board import Board, power_mode
from harness.sensors.fields import OFFLINE


def test_channels_that_are_not_connected_and_sums_of_channels_are_no_rails(tmp_path: Path) -> None:
    MadeBoard(tmp_path)
    labels = [rail.label for rail in ina3221.rails(str(tmp_path))]
    assert labels == ["VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0", "VDDQ_VDD2_1V8AO"]


def test_watts_are_millivolts_times_milliamperes(tmp_path: Path) -> None:
    board = MadeBoard(tmp_path, "Orin Nano")
    board.set_watts("VDD_IN", 10.08)
    rail = ina3221.rails(str(tmp_path))[0]
    assert ina3221.watts(rail) == 5040 * 2000 * 1e-6
    board.switch_off("VDD_IN")
    assert ina3221.watts(rail) == OFFLINE
    board.take_away("VDD_IN")
    assert ina3221.watts(rail) is None


def test_a_row_of_the_board(tmp_path: Path) -> None:
    MadeBoard(tmp_path).show(waves)
    board = Board(str(tmp_path))
    assert dict(zip(board.fields, board.read(), strict=True)) == {
        "temperature_cpu_c": 51.0,
        "temperature_gpu_c": 48.5,
        "temperature_cv0_c": OFFLINE,
        "temperature_tj_c": 52.25,
        "cpu_hz": 1.44e9,
        "gpu_hz": 624_750_000,
        "events_oc1": 0,
        "events_oc2": 0,
        "events_oc3": 0,
        "memory_bytes": 10_000_000 * 1024,
    }


def test_a_zone_that_cannot_be_read_is_off(tmp_path: Path) -> None:
    MadeBoard(tmp_path)
    (tmp_path / "sys/class/thermal/thermal_zone1/temp").unlink()
    board = Board(str(tmp_path))
    assert dict(zip(board.fields, board.read(), strict=True))["temperature_gpu_c"] == OFFLINE


def test_facts_of_the_board(tmp_path: Path) -> None:
    MadeBoard(tmp_path)
    assert Board(str(tmp_path)).facts() == {
        "board": "NVIDIA Jetson AGX Orin Developer Kit",
        "jetpack": "R36 (release), REVISION: 4.3, GCID: 0, BOARD: generic",
        "power_mode": "MODE_30W",
        "governor": "schedutil",
        "cpu_max_hz": 2_201_600_000,
        "cpu_min_hz": 115_200_000,
        "gpu_max_hz": 1_300_500_000,
        "gpu_min_hz": 306_000_000,
        "gpu_governor": "nvhost_podgov",
    }


def test_a_power_mode_without_a_name_is_its_number(tmp_path: Path) -> None:
    put(tmp_path / "var/lib/nvpmodel/status", "pmode:0003 fmode:quiet")
    assert power_mode(str(tmp_path)) == "3"
    assert power_mode(str(tmp_path / "elsewhere")) is None


def test_an_empty_tree_has_nothing_and_breaks_nothing(tmp_path: Path) -> None:
    board = Board(str(tmp_path))
    assert set(board.read()) == {None}
    assert set(board.facts().values()) == {None}
    assert ina3221.rails(str(tmp_path)) == []


def test_half_written_and_foreign_files_are_no_numbers(tmp_path: Path) -> None:
    MadeBoard(tmp_path)
    put(tmp_path / "sys/class/devfreq/17000000.gpu/cur_freq", "")
    put(tmp_path / "proc/meminfo", "MemTotal: much")
    read = dict(zip((board := Board(str(tmp_path))).fields, board.read(), strict=True))
    assert (read["gpu_hz"], read["memory_bytes"]) == (None, None)
