"""A sampler process at a made board: joules against the known integral, faults in the files, and its own death."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from made_board import MadeBoard, waves, waves_j

from harness.protocol.beside import Telemetry
from harness.sensors import Sampler
from harness.sensors.faults import FROZEN_S
from harness.vitals import Vitals

HZ = 20.0
WINDOW_S = 3.0
TRIES = 100
"""Other processes of a small machine hold up the made board or the sampler; then another window is taken."""
HELD_UP_S = 0.06


def started(root: Path, hz: float = HZ) -> Sampler:
    sampler = Sampler.start(root, hz)
    assert sampler is not None
    return sampler


def rows_until(sampler: Sampler, enough: Callable[[], bool]) -> list[Telemetry]:
    """What comes until it is enough; the sampler alone wakes us."""
    came = sampler.read()
    while not enough():
        select.select([sampler.fd], [], [])
        came += sampler.read()
    return came


def first_row(sampler: Sampler) -> list[Telemetry]:
    came: list[Telemetry] = []
    while not came:
        came = rows_until(sampler, lambda: True)
        select.select([sampler.fd], [], [])
    return came


def window_until(sampler: Sampler, begin_s: float, enough: Callable[[Vitals], object]) -> Vitals:
    """The vitals since then, once they are enough: each field comes at a pace of its own."""

    def told() -> Vitals | None:
        return sampler.window(begin_s, time.monotonic())

    rows_until(sampler, lambda: (now := told()) is not None and enough(now))
    found = told()
    assert found is not None
    return found


def window(sampler: Sampler, seconds: float) -> tuple[float, float, Vitals]:
    """The vitals of the time from now on."""
    begin_s = time.monotonic()
    rows_until(sampler, lambda: time.monotonic() >= begin_s + seconds)
    end_s = time.monotonic()
    told = sampler.window(begin_s, end_s)
    assert told is not None
    return begin_s, end_s, told


@pytest.fixture(scope="module", autouse=True)
def frozen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[float, Sampler]]:
    """A rail that stands still from the first test on, and since when: the last one asks after it."""
    with MadeBoard(tmp_path_factory.mktemp("frozen")).run() as board:
        board.freeze("VDD_GPU_SOC")
        sampler = started(board.root, hz=5.0)
        yield time.monotonic(), sampler
        sampler.close()


@pytest.fixture
def board(tmp_path: Path) -> Iterator[MadeBoard]:
    with MadeBoard(tmp_path).run() as board:
        yield board


@pytest.fixture
def sampler(board: MadeBoard) -> Iterator[Sampler]:
    sampler = started(board.root)
    first_row(sampler)
    yield sampler
    sampler.close()


@pytest.mark.parametrize("module", ["AGX Orin", "Orin Nano"])
def test_energy_is_within_half_a_percent_of_the_known_integral(module: str, tmp_path: Path) -> None:
    with MadeBoard(tmp_path, module).run() as board:
        sampler = started(board.root)
        first_row(sampler)
        for _ in range(TRIES):
            begin_s, end_s, told = window(sampler, WINDOW_S)
            undisturbed = max(board.held_up_s(rail, begin_s, end_s) for rail in board.total) < HELD_UP_S
            if undisturbed and told.energy_j is not None:
                break
        sampler.close()
    assert told.flags == ()
    assert told.coverage == pytest.approx(1.0)
    assert told.energy_j == pytest.approx(board.shown_j(board.total, begin_s, end_s), rel=0.005)
    assert told.energy_j == pytest.approx(sum(waves_j(rail, begin_s, end_s) for rail in board.total), rel=0.02)
    assert told.rails_j.keys() == set(board.rails)
    summed_j = board.shown_j(board.rails, begin_s, end_s)
    assert summed_j > 1.02 * board.shown_j(board.total, begin_s, end_s), "a plain sum would be seen"


def test_a_row_holds_what_the_board_shows(board: MadeBoard, sampler: Sampler) -> None:
    told = window_until(sampler, time.monotonic(), lambda told: told.throttle_events is not None)
    assert (told.source, told.power_mode, told.temperature_max_c) == ("ina3221", "MODE_30W", 52.25)
    assert (told.cpu_mean_hz, told.gpu_mean_hz) == (1.44e9, 624_750_000)
    assert (told.memory_peak_bytes, told.throttle_events) == (10_000_000 * 1024, 0)
    words = sampler.describe()
    assert words["total"] == ("VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0")
    assert (words["board"], words["governor"]) == ("NVIDIA Jetson AGX Orin Developer Kit", "schedutil")


def test_rows_travel_in_order_of_their_stamps(board: MadeBoard, sampler: Sampler) -> None:
    begin_s = time.monotonic()
    messages = rows_until(sampler, lambda: time.monotonic() > begin_s + 0.5)
    stamps = [row[0] or 0.0 for message in messages for row in message.rows]
    assert all(message.fields[:2] == ("at_s", "total_w") for message in messages)
    assert stamps == sorted(set(stamps))
    assert begin_s < stamps[-1] < time.monotonic(), "they are of our clock"


def test_a_rail_whose_files_go_away_makes_energy_null(board: MadeBoard, sampler: Sampler) -> None:
    board.take_away("VDD_CPU_CV")
    told = window(sampler, 1.5)[2]
    assert (told.energy_j, told.rails_j["VDD_CPU_CV"]) == (None, None)
    assert "missing rail" in told.flags


def test_a_rail_that_was_never_there_makes_energy_null(tmp_path: Path) -> None:
    board = MadeBoard(tmp_path)
    board.remove("VIN_SYS_5V0")
    board.show(waves)
    sampler = started(board.root)
    first_row(sampler)
    told = window(sampler, 0.5)[2]
    assert sampler.describe()["missing"] == ("VIN_SYS_5V0",)
    sampler.close()
    assert told.energy_j is None
    assert "missing rail" in told.flags


def test_a_rail_that_says_minus_256_makes_energy_null(board: MadeBoard, sampler: Sampler) -> None:
    board.switch_off("VIN_SYS_5V0")
    told = window(sampler, 1.5)[2]
    assert (told.energy_j, told.rails_j["VIN_SYS_5V0"]) == (None, None)
    assert "offline sensor" in told.flags


def test_a_temperature_of_minus_256_is_left_out(board: MadeBoard, sampler: Sampler) -> None:
    board.set_zone("tj-thermal", -256_000)
    board.set_zone("gpu-thermal", -256_000)
    rows_until(sampler, lambda: sampler.window(time.monotonic() - 0.7, time.monotonic()).temperature_max_c == 51.0)  # type: ignore[union-attr]
    told = window_until(sampler, time.monotonic(), lambda told: told.temperature_max_c is not None)
    assert "offline sensor" in told.flags


def test_throttling_is_counted_and_a_new_power_mode_seen(board: MadeBoard, sampler: Sampler) -> None:
    begin_s = time.monotonic()
    board.set_events("oc3", 4)
    board.set_power_mode(0)
    told = window_until(sampler, begin_s, lambda told: told.throttle_events and told.power_mode == "MAXN")
    assert (told.throttle_events, told.power_mode) == (4, "MAXN")
    assert "throttled" in told.flags


def test_a_sampler_that_was_stopped_leaves_a_gap(board: MadeBoard, sampler: Sampler) -> None:
    begin_s = time.monotonic()
    pid, another = sampler.pid, started(board.root)
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    window(another, 1.0)
    os.kill(pid, signal.SIGCONT)
    another.close()
    first_row(sampler)
    told = sampler.window(begin_s, time.monotonic())
    assert told is not None
    assert told.energy_j is None
    assert {"gap", "low coverage"} <= set(told.flags)
    assert 0.0 < told.coverage < 0.95


def test_a_sampler_that_dies_is_started_again_behind_the_same_descriptor(board: MadeBoard, sampler: Sampler) -> None:
    died, fd = sampler.pid, sampler.fd
    assert died is not None
    os.kill(died, signal.SIGKILL)
    begin_s = time.monotonic()
    rows_until(sampler, lambda: sampler.pid != died)
    first_row(sampler)
    assert sampler.fd == fd
    after = window(sampler, 0.5)[2]
    assert after.samples > 0
    assert sampler.window(begin_s - 1.0, time.monotonic()).samples > after.samples  # type: ignore[union-attr]


def test_the_idle_baseline_goes_with_later_windows(tmp_path: Path) -> None:
    board = MadeBoard(tmp_path)
    board.show(waves)
    sampler = started(board.root)
    first_row(sampler)
    for _ in range(TRIES):
        begin_s, end_s, _ = window(sampler, 0.5)
        if (idle_w := sampler.idle(begin_s, end_s)) is not None:
            break
    shown_w = board.shown_j(board.total, begin_s, end_s) / (end_s - begin_s)
    told = sampler.window(begin_s, end_s)
    sampler.close()
    assert idle_w == pytest.approx(shown_w)
    assert told is not None
    assert told.idle_w == idle_w


def test_nothing_is_sampled_where_nothing_is_asked_for(tmp_path: Path) -> None:
    assert Sampler.start(tmp_path, 0.0) is None


def test_a_rail_that_stands_still_makes_energy_null(frozen: tuple[float, Sampler]) -> None:
    begin_s, sampler = frozen
    rows_until(sampler, lambda: time.monotonic() >= begin_s + FROZEN_S + 1)
    told = sampler.window(begin_s, time.monotonic())
    assert told is not None
    assert (told.energy_j, told.rails_j["VDD_GPU_SOC"]) == (None, None)
    assert "frozen" in told.flags
