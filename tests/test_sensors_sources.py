"""Which source is taken, of what a made tree and the sampler's own packages offer."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from made_board import MadeBoard, waves

from harness.sensors.host import Host
from harness.sensors.rails import Total
from harness.sensors.sources import Ina3221, open_source

HZ = 10.0


@pytest.mark.parametrize("wanted", ["auto", "ina3221"])
def test_a_board_s_own_sensors_come_first(tmp_path: Path, wanted: str) -> None:
    MadeBoard(tmp_path, "Orin Nano").show(waves)
    source = open_source(wanted, str(tmp_path), HZ)
    assert isinstance(source, Ina3221)
    assert source.fast == ("rail_VDD_IN_w", "rail_VDD_CPU_GPU_CV_w", "rail_VDD_SOC_w")
    assert len(source.read_slow()) == len(source.slow)


def test_the_total_of_a_row_is_that_of_the_named_rails(tmp_path: Path) -> None:
    board = MadeBoard(tmp_path)
    for rail in board.rails:
        board.set_watts(rail, 5.04)
    total_w, *rails_w = open_source("auto", str(tmp_path), HZ).read_fast() or []
    assert total_w == pytest.approx(3 * 5.04, rel=0.01)
    assert rails_w == pytest.approx([5.04] * 4, rel=0.01)


def test_a_board_without_its_sensors_is_still_that_board(tmp_path: Path) -> None:
    MadeBoard(tmp_path)
    shutil.rmtree(tmp_path / "sys/bus")
    source = open_source("auto", str(tmp_path), HZ)
    rails = ("VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0")
    assert (source.name, source.total) == ("ina3221", Total(rails, missing=rails))
    assert source.read_fast() == [None]


@pytest.mark.parametrize("wanted", ["auto", "psutil"])
def test_any_other_machine_tells_what_psutil_finds(tmp_path: Path, wanted: str) -> None:
    source = open_source(wanted, str(tmp_path), HZ)
    assert isinstance(source, Host)
    read = dict(zip(source.slow, source.read_slow(), strict=True))
    assert (read["memory_bytes"] or 0) > 2**20
    assert 0.0 <= (read["cpu_share"] or 0.0) <= 1.0
    assert source.read_fast() == [None]
    assert set(source.facts().values()) == {None}
