"""NVIDIA's management library on a server: the watts of its GPUs. Optional (nvidia-ml-py): the sampler imports it.

The total is that of the GPUs: processors, memory and fans are not in it. A driver that starts and then answers
"Not Supported", as on Jetson boards, gives null and never 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.sensors.fields import GPU_HZ, rail_field, temperature_field
from harness.sensors.host import Host
from harness.sensors.pace import gap_s
from harness.sensors.rails import Total, watts

MILLIWATTS, MEGAHERTZ = 1e-3, 1e6


class Nvml:
    """The GPUs of this machine as rails "GPU0", "GPU1", and the machine; ``library`` is the module pynvml, begun."""

    name = "nvml"

    def __init__(self, library: Any, root: str, hz: float) -> None:
        self._library, self._host = library, Host(root, hz)
        count = library.nvmlDeviceGetCount()
        self._gpus = {f"GPU{number}": library.nvmlDeviceGetHandleByIndex(number) for number in range(count)}
        silent = tuple(label for label, gpu in self._gpus.items() if self._watts(gpu) is None)
        self.total = Total(tuple(self._gpus), silent)
        self.fast = tuple(rail_field(label) for label in self._gpus)
        self.slow = (*(temperature_field(label) for label in self._gpus), GPU_HZ, *self._host.slow)
        self.gap_s = gap_s(hz)

    def read_fast(self) -> list[float | None]:
        """The total, and each GPU, in watts."""
        found = {label: self._watts(gpu) for label, gpu in self._gpus.items()}
        return [watts(self.total.rails, found), *found.values()]

    def read_slow(self) -> list[float | None]:
        """Each GPU's temperature, the mean of their clocks, and the host's."""
        library, gpus = self._library, self._gpus.values()
        hot = [self._asked(library.nvmlDeviceGetTemperature, gpu, library.NVML_TEMPERATURE_GPU) for gpu in gpus]
        clocks = [self._asked(library.nvmlDeviceGetClockInfo, gpu, library.NVML_CLOCK_SM) for gpu in gpus]
        there = [clock for clock in clocks if clock is not None]
        return [*hot, MEGAHERTZ * sum(there) / len(there) if there else None, *self._host.read_slow()]

    def facts(self) -> dict[str, Any]:
        """The host's, with the names of the GPUs and the driver's version."""
        names = [_words(self._library.nvmlDeviceGetName(gpu)) for gpu in self._gpus.values()]
        driver = _words(self._library.nvmlSystemGetDriverVersion())
        return {**self._host.facts(), "gpus": names, "driver": driver}

    def _watts(self, gpu: Any) -> float | None:
        milliwatts = self._asked(self._library.nvmlDeviceGetPowerUsage, gpu)
        return None if milliwatts is None else milliwatts * MILLIWATTS

    def _asked(self, question: Callable[..., float], *about: Any) -> float | None:
        """The answer; null where the driver has none, such as "Not Supported"."""
        try:
            return question(*about)
        except self._library.NVMLError:
            return None


def _words(answer: str | bytes) -> str:
    """Text, which older versions of the package gave as bytes."""
    return answer.decode(errors="replace") if isinstance(answer, bytes) else answer


def opened(root: str, hz: float) -> Nvml | None:
    """The GPUs of this machine; None where the package, the driver or a GPU is missing."""
    try:
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
        return Nvml(pynvml, root, hz) if pynvml.nvmlDeviceGetCount() else None
    except pynvml.NVMLError:
        return None
