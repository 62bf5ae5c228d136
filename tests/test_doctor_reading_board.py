"""What is read of a made AGX Orin."""

from pathlib import Path

import pytest
from made_board import MadeBoard, put, waves

from harness.doctor.reading.board import clocks, heat, power_mode, sensors, sensors_of, throttling
from harness.doctor.reading.place import Place
from harness.protocol.beside import Telemetry


@pytest.fixture
def board(tmp_path: Path) -> MadeBoard:
    return MadeBoard(tmp_path)


def here(board: MadeBoard) -> Place:
    return Place("agent", board.root)


def test_the_power_mode_and_the_names_of_all(board: MadeBoard) -> None:
    put(board.root / "sys/devices/system/cpu/offline", "8-11")
    facts = power_mode(here(board))
    assert (facts.jetson, facts.mode, facts.names) == (True, 2, {0: "MAXN", 2: "MODE_30W"})
    assert facts.offline_cores == "8-11"


def test_a_mode_with_a_fan_s_word_behind_it(board: MadeBoard) -> None:
    put(board.root / "var/lib/nvpmodel/status", "pmode:0000 fmode:quiet")
    assert power_mode(here(board)).mode == 0


def test_clocks_of_processor_and_gpu(board: MadeBoard) -> None:
    put(board.root / "sys/class/devfreq/13e10000.nvdla/min_freq", 1)
    facts = clocks(here(board))
    assert [(one.name, one.governor, one.min_hz, one.max_hz) for one in facts.cpu] == [
        ("policy0", "schedutil", 115.2e6, 2201.6e6),
        ("policy4", "schedutil", 115.2e6, 2201.6e6),
    ]
    assert [(one.name, one.min_hz, one.max_hz) for one in facts.gpu] == [("17000000.gpu", 306e6, 1300.5e6)]


def test_counters_of_throttling(board: MadeBoard) -> None:
    board.set_events("oc3", 7)
    put(board.root / "sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count", 2)
    put(board.root / "sys/devices/system/cpu/cpu1/thermal_throttle/core_throttle_count", 3)
    assert throttling(here(board)).counts == {"oc1": 0, "oc2": 0, "oc3": 7, "thermal": 5}


def test_zones_and_the_lowest_point_at_which_they_throttle(board: MadeBoard) -> None:
    zone = board.root / "sys/class/thermal/thermal_zone0"
    for number, (kind, at) in enumerate(
        [("active", 40_000), ("hot", 97_000), ("passive", 99_000), ("critical", 104_500)]
    ):
        put(zone / f"trip_point_{number}_type", kind)
        put(zone / f"trip_point_{number}_temp", at)
    facts = heat(here(board))
    assert (facts.zones["cpu-thermal"], facts.zones["cv0-thermal"]) == (51.0, -256.0)
    assert facts.limits == {"cpu-thermal": 97.0}


def test_the_sampler_tells_its_rails_and_their_total(board: MadeBoard) -> None:
    board.show(waves)
    facts = sensors(here(board))
    assert (facts.source, facts.jetson, facts.missing, facts.closed) == ("ina3221", True, (), ())
    assert facts.samples > 0
    assert facts.rails == board.rails
    assert facts.total == board.total


def test_a_rail_whose_files_are_gone_is_closed(board: MadeBoard) -> None:
    board.show(waves)
    board.take_away("VDD_CPU_CV")
    assert sensors(here(board)).closed == ("VDD_CPU_CV",)


def test_a_rail_that_is_off_is_closed_and_the_last_row_counts() -> None:
    fields = ("at_s", "total_w", "rail_A_w", "rail_B_w")
    rows = Telemetry(source="ina3221", fields=fields, rows=((1.0, 2.0, None, 1.0), (1.1, None, 1.0, -256.0)))
    facts = sensors_of(True, {"source": "ina3221", "total": ["A", "B"]}, [rows])
    assert (facts.samples, facts.rails, facts.closed) == (2, ("A", "B"), ("B",))
    assert sensors_of(True, {"source": "none"}, []).samples == 0
