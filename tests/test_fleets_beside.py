"""What stands beside the rounds: kept while a run goes on, put together at its end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet
from run_folders import header

from harness.doctor import Finding
from harness.errors import StoreError
from harness.fleets.beside import Beside, RunBeside
from harness.fleets.own_machine import Checkup, OwnSensors
from harness.fleets.telemetry_files import files_of
from harness.fleets.telemetry_table import TABLE
from harness.protocol.messages import Telemetry
from harness.store import RunFolder
from harness.timeline import Offset, Timeline
from harness.vitals import Vitals

TIMELINE = Timeline(
    arrived_s=500.0,
    phase_at_s={"download": 0.0, "upload": 10.0},
    download=Offset(offset_s=-400.0, uncertainty_s=0.001),
    upload=Offset(offset_s=-399.0, uncertainty_s=0.001),
)


def told(*rows: tuple[float, float | None], source: str = "ina3221") -> Telemetry:
    return Telemetry(source=source, fields=("at_s", "total_w"), rows=rows)


class Sensors:
    """Two samples each time they are asked for."""

    def __init__(self) -> None:
        self.closed, self.at_s = 0, 1000.0

    def read(self) -> list[Telemetry]:
        self.at_s += 2.0
        return [told((self.at_s - 2.0, 1.0), (self.at_s - 1.0, 2.0), source="nvml")]

    def window(self, begin_s: float, end_s: float) -> Vitals | None:
        return Vitals(source="nvml", samples=2, coverage=1.0, energy_j=end_s - begin_s)

    def describe(self) -> dict[str, Any]:
        return {"source": "nvml"}

    def close(self) -> None:
        self.closed += 1


class World:
    """A run folder, and a controller that began at 100 s of the run's clock."""

    def __init__(self, root: Path, hz: float = 10.0) -> None:
        self.now_s = 100.0
        self.folder = RunFolder.create(root, "r")
        self.folder.write_header(header())
        self.sensors = Sensors()
        visit = Checkup(lambda: [Finding(name="disk", state="ok", says="room")])
        server = OwnSensors(self.sensors, zero_s=900.0, since_s=100.0)
        self.beside = RunBeside(self.folder, lambda: self.now_s, hz, visit, server)

    def table(self) -> list[tuple[object, ...]]:
        columns = parquet.read_table(self.folder.path / TABLE).to_pydict()
        return list(zip(*(columns[name] for name in ("agent", "at_s", "run_s", "total_w")), strict=True))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_samples_become_a_table_on_the_runs_clock_at_the_end(world: World) -> None:
    world.beside.joined("a")
    assert world.beside.sampled("a", told((500.0, 4.0), (505.0, None))) is None
    world.beside.compared("a", TIMELINE)
    world.beside.conclude()
    assert world.table() == [
        ("a", 500.0, 100.0, 4.0),
        ("a", 505.0, 105.5, None),
        ("controller", 1000.0, 100.0, 1.0),
        ("controller", 1001.0, 101.0, 2.0),
    ]
    assert sorted(files_of(world.folder.path)) == ["a", "controller"], "the run is not called done yet"
    world.beside.forget()
    assert files_of(world.folder.path) == {}


def test_a_resumed_run_goes_on_with_the_samples_it_has(world: World) -> None:
    world.beside.sampled("a", told((500.0, 4.0)))
    world.beside.compared("a", TIMELINE)
    later = RunBeside(world.folder, lambda: 150.0, 10.0)
    later.sampled("a", told((540.0, 9.0), (570.0, 5.0)))
    later.compared("a", Timeline(arrived_s=560.0, phase_at_s={}, upload=Offset(offset_s=-410.0, uncertainty_s=0.1)))
    later.conclude()
    of_a = [row for row in world.table() if row[0] == "a"]
    assert of_a == [("a", 500.0, 100.0, 4.0), ("a", 540.0, None, 9.0), ("a", 570.0, 160.0, 5.0)]


def test_what_cannot_be_samples_is_not_kept_and_said_why(world: World) -> None:
    assert "first field" in str(world.beside.sampled("a", Telemetry(source="x", fields=("w",), rows=((1.0,),))))
    flood = told(*[(1.0, 1.0)] * 2000)
    faults = [world.beside.sampled("a", flood) for _ in range(400)]
    assert "more than its sensors can have given" in str(faults[-1])
    assert world.beside.sampled("b", told((1.0, 1.0))) is None, "another agent's are not held against it"


def test_without_telemetry_nothing_is_written(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, "r")
    folder.write_header(header())
    beside = RunBeside(folder, lambda: 0.0)
    beside.joined("a")
    beside.compared("a", TIMELINE)
    assert beside.sampled("a", told((1.0, 1.0))) == "nobody asked for them"
    beside.tend()
    beside.conclude()
    assert not (folder.path / "telemetry").exists()
    assert not (folder.path / TABLE).exists()


def test_devices_links_and_the_controllers_own_machine_stand_in_the_header(world: World) -> None:
    assert world.beside.reported("a", {"device": {"model": "Orin"}, "shaping": None}) is None
    assert "bytes" in str(world.beside.reported("b", {"device": b"raw"}))
    world.beside.shaped({"a": {"interface": "eth0"}})
    world.now_s += 10.0
    world.beside.conclude()
    devices = world.folder.read_header().devices
    assert devices["a"] == {"device": {"model": "Orin"}, "shaping": None}
    controller = devices["controller"]
    assert (controller["device"], controller["shaping"]) == ({"source": "nvml"}, {"a": {"interface": "eth0"}})
    assert controller["doctor"][0]["name"] == "disk"
    assert sorted(devices) == ["a", "controller"]


def test_the_header_is_written_while_the_run_goes_on_and_its_own_samples_are_taken_now_and_then(world: World) -> None:
    world.beside.reported("a", {"device": 1})
    world.beside.tend()
    assert world.folder.read_header().devices["a"] == {"device": 1}
    before = world.sensors.at_s
    for _ in range(10):
        world.now_s += 1.0
        world.beside.tend()
    assert world.sensors.at_s == before + 4.0


def test_the_servers_vitals_are_those_of_this_controllers_time(world: World) -> None:
    vitals = world.beside.server(101.0, 105.0)
    assert vitals is not None
    assert vitals.energy_j == 4.0
    assert world.beside.server(99.0, 105.0) is None
    assert Beside().server(0.0, 1.0) is None
    world.beside.close()
    assert world.sensors.closed == 1


def test_a_table_that_cannot_be_written_ends_in_a_sentence_and_loses_nothing(world: World) -> None:
    world.beside.sampled("a", told((500.0, 4.0)))
    (world.folder.path / TABLE).mkdir()
    with pytest.raises(StoreError, match="federa-bench resume"):
        world.beside.conclude()
    (world.folder.path / TABLE).rmdir()
    world.beside.conclude()
    assert ("a", 500.0, None, 4.0) in world.table()
