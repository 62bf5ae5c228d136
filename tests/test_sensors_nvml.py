"""NVIDIA's library in a sampler process, played by a module of ten lines on that process's path."""

from __future__ import annotations

import select
from pathlib import Path

from harness.sensors import Sampler

LIBRARY = """
class NVMLError(Exception): pass
NVML_TEMPERATURE_GPU, NVML_CLOCK_SM = 0, 1
def nvmlInit(): {init}
def nvmlDeviceGetCount(): return 2
def nvmlDeviceGetHandleByIndex(number): return number
def nvmlDeviceGetPowerUsage(gpu): {power}
def nvmlDeviceGetTemperature(gpu, sensor): return 60 + gpu
def nvmlDeviceGetClockInfo(gpu, clock): raise NVMLError('Not Supported')
def nvmlDeviceGetName(gpu): return b'A GPU'
def nvmlSystemGetDriverVersion(): return '570.1'
"""
NOT_SUPPORTED = "raise NVMLError('Not Supported')"


def sampling(tmp_path: Path, init: str = "pass", power: str = "return 70_000 + gpu * 5_000") -> Sampler:
    (tmp_path / "pynvml.py").write_text(LIBRARY.format(init=init, power=power))
    sampler = Sampler.start(tmp_path / "root", 20.0, env={"PYTHONPATH": str(tmp_path)})
    assert sampler is not None
    while not sampler.read():
        select.select([sampler.fd], [], [])
    sampler.close()
    return sampler


def test_the_watts_of_all_gpus_add_up(tmp_path: Path) -> None:
    sampler = sampling(tmp_path)
    words = sampler.describe()
    assert (words["source"], words["total"], words["missing"]) == ("nvml", ("GPU0", "GPU1"), ())
    assert (words["gpus"], words["driver"]) == (["A GPU", "A GPU"], "570.1")
    told = sampler.window(0.0, 1e9)
    assert told is not None
    assert (told.peak_w, told.temperature_max_c is not None, told.gpu_mean_hz) == (145.0, True, None)


def test_a_driver_that_supports_nothing_gives_no_energy_and_never_zero(tmp_path: Path) -> None:
    sampler = sampling(tmp_path, power=NOT_SUPPORTED)
    assert sampler.describe()["missing"] == ("GPU0", "GPU1")
    told = sampler.window(0.0, 1e9)
    assert told is not None
    assert (told.energy_j, told.peak_w, told.rails_j) == (None, None, {"GPU0": None, "GPU1": None})
    assert "missing rail" in told.flags


def test_one_gpu_that_does_not_answer_makes_the_total_null(tmp_path: Path) -> None:
    sampler = sampling(tmp_path, power="return _no() if gpu else 70_000\ndef _no(): " + NOT_SUPPORTED)
    told = sampler.window(0.0, 1e9)
    assert told is not None
    assert (told.energy_j, told.peak_w) == (None, None)
    assert sampler.describe()["missing"] == ("GPU1",)


def test_without_a_driver_the_host_alone_is_read(tmp_path: Path) -> None:
    sampler = sampling(tmp_path, init="raise NVMLError('Driver Not Loaded')")
    assert sampler.describe()["source"] == "psutil"
    told = sampler.window(0.0, 1e9)
    assert told is not None
    assert (told.energy_j, told.memory_peak_bytes is not None) == (None, True)
