"""jetson-stats in a sampler process, played by a module of a few lines on that process's path."""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.sensors import Sampler
from harness.vitals import Vitals

JTOP = """
import datetime, pathlib, queue, time
class JtopException(Exception): pass
said = lambda name: (pathlib.Path(__file__).parent / name).read_text()
class jtop:
    def __init__(self, interval): self.gpu = {"gpu": {"freq": {"cur": 624750}}}
    def start(self): exec(said("start"))
    def ok(self, spin): exec(said("ok"), globals(), found := {}); return found.get("ok", True)
    def close(self): self.closed = True
    cpu = {"cpu": [{"online": True, "freq": {"cur": 1728000}}, {"online": False}]}
    memory, board, nvpmodel = {"RAM": {"used": 1024}}, {"hardware": {"Model": "Jetson AGX Orin"}}, "MAXN"
    uptime = property(lambda self: datetime.timedelta(seconds=eval(said("uptime"))))
    temperature = property(lambda self: eval(said("temperature")))
    power = property(lambda self: eval(said("power")))
"""
ANSWERS = {
    "start": "pass",
    "ok": "pass",
    "uptime": "time.monotonic()",
    "temperature": "{'cpu': {'temp': 47.5, 'online': True}, 'cv0': {'temp': -256, 'online': False}}",
    "power": "{'rail': {'VDD_GPU_SOC': {'volt': 20000, 'curr': 500, 'power': 9999, 'avg': 1, 'online': True},"
    "'VDD_CPU_CV': {'volt': 20000, 'curr': 200, 'power': 4000}, 'VIN_SYS_5V0': {'volt': 5000, 'curr': 800, 'power': 1},"
    "'VDDQ_VDD2_1V8AO': {'volt': 5000, 'curr': 200, 'power': 1000}}, 'tot': {'power': 18999, 'avg': 3}}",
}
INPUT_RAIL = (
    "{'rail': {'VDD_SOC': {'volt': 5000, 'curr': 200}},'tot': {'name': 'VDD_IN', 'volt': 5000, 'curr': 1600, 'avg': 7}}"
)
HZ = 10.0


class Service:
    """The module on the path, and what it answers; a sampler that asks it."""

    def __init__(self, folder: Path, **answers: str) -> None:
        self._folder = folder
        (folder / "jtop.py").write_text(JTOP)
        self.says(**{**ANSWERS, **answers})
        env = {"PYTHONPATH": str(folder)}
        sampler = Sampler.start(folder / "root", HZ, source="jtop", env=env)
        assert sampler is not None
        self.sampler = sampler

    def says(self, **answers: str) -> None:
        for name, answer in answers.items():
            new = self._folder / f"{name}.new"
            new.write_text(answer)
            new.replace(self._folder / name)

    def until(self, enough: Callable[[Vitals], bool], begin_s: float = 0.0) -> Vitals:
        """The vitals from a moment on, once they say enough."""
        while True:
            told = self.sampler.window(begin_s, time.monotonic())
            if told and enough(told):
                return told
            select.select([self.sampler.fd], [], [])


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Service]]:
    services: list[Service] = []

    def started(**answers: str) -> Service:
        services.append(Service(tmp_path, **answers))
        return services[-1]

    yield started
    for service in services:
        service.sampler.close()


def test_its_rails_are_added_up_by_name_and_its_own_total_is_not_used(serve: Callable[..., Service]) -> None:
    service = serve()
    told = service.until(lambda told: told.samples >= 3)
    assert told.peak_w == pytest.approx(10.0 + 4.0 + 4.0)
    assert (told.source, told.power_mode) == ("jtop", "MAXN")
    assert (told.temperature_max_c, told.cpu_mean_hz, told.gpu_mean_hz) == (47.5, 1.728e9, 624_750_000)
    assert told.memory_peak_bytes == 1024 * 1024
    words = service.sampler.describe()
    assert (words["total"], words["jetson_stats"]) == (("VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0"), "unknown")


def test_the_rail_that_it_takes_for_the_total_is_a_rail(serve: Callable[..., Service]) -> None:
    service = serve(power=INPUT_RAIL)
    told = service.until(lambda told: told.samples >= 3)
    assert told.peak_w == pytest.approx(8.0)
    assert set(told.rails_j) == {"VDD_IN", "VDD_SOC"}


def test_an_uptime_that_stands_still_is_stale(serve: Callable[..., Service]) -> None:
    service = serve()
    service.until(lambda told: told.samples >= 3)
    service.says(uptime="1e6")
    begin_s = time.monotonic()
    told = service.until(lambda told: "stale" in told.flags, begin_s)
    assert (told.energy_j, "gap" in told.flags) == (None, True)


@pytest.mark.parametrize(
    "breaks",
    [
        {"ok": "raise JtopException('Lost connection with jtop server')"},
        {"ok": "raise queue.Empty"},
        {"ok": "raise EOFError"},
        {"ok": "ok = False"},
        {"power": "{}"},
        {"uptime": "None"},
    ],
    ids=lambda breaks: "".join(breaks.values())[:20],
)
def test_a_service_that_goes_away_is_a_gap_with_a_reason(serve: Callable[..., Service], breaks: dict[str, str]) -> None:
    service = serve()
    service.until(lambda told: told.samples >= 3)
    service.says(**breaks)
    begin_s = time.monotonic()
    told = service.until(lambda told: "gap" in told.flags, begin_s)
    service.until(lambda told: bool(service.sampler.describe()["trouble"]), begin_s)
    assert told.energy_j is None
    service.says(**{name: ANSWERS[name] for name in breaks})
    service.until(lambda told: told.samples >= 3, time.monotonic())
    service.until(lambda told: service.sampler.describe()["trouble"] is None)


def test_a_service_that_is_not_there_is_waited_for(serve: Callable[..., Service]) -> None:
    service = serve(start="raise JtopException('The jtop.service is not active')")
    assert service.sampler.describe(wait_s=30.0)["trouble"] == "JtopException: The jtop.service is not active"
    service.says(start="pass")
    assert service.until(lambda told: told.samples >= 3).peak_w == pytest.approx(18.0)


def test_what_says_minus_256_is_off(serve: Callable[..., Service]) -> None:
    off = ANSWERS["power"].replace("'curr': 800", "'curr': -256")
    service = serve(power=off)
    told = service.until(lambda told: told.samples >= 3)
    assert (told.energy_j, told.peak_w) == (None, None)
    assert "offline sensor" in told.flags


def test_where_it_does_not_answer_another_source_is_taken(tmp_path: Path) -> None:
    (tmp_path / "jtop.py").write_text(JTOP)
    (tmp_path / "start").write_text("raise queue.Empty")
    sampler = Sampler.start(tmp_path / "root", HZ, env={"PYTHONPATH": str(tmp_path)})
    assert sampler is not None
    assert sampler.describe(wait_s=30.0)["source"] == "psutil"
    sampler.close()
