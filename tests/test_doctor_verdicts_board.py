"""Verdicts on power mode, clocks, heat, throttling and sensors of energy."""

from harness.doctor.facts import Clock, Clocks, Heat, PowerMode, Sensors, Throttling
from harness.doctor.findings import Finding
from harness.doctor.verdicts.board import of_clocks, of_heat, of_power_mode, of_sensors, of_throttling

NAMES = {0: "15W", 1: "25W", 2: "MAXN_SUPER"}
RAILS = ("VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0")


def cpu(governor: str = "schedutil", driver: str | None = None, low: float = 0.1e9, high: float = 2.2e9) -> Clock:
    return Clock(name="policy0", governor=governor, driver=driver, min_hz=low, max_hz=high, hardware_max_hz=2.2e9)


def clocks(*cpus: Clock, gpu: tuple[Clock, ...] = (), jetson: bool = True) -> tuple[Finding, Finding]:
    governor, locked = of_clocks(Clocks(jetson=jetson, cpu=cpus, gpu=gpu))
    return governor, locked


def test_maxn_is_found_by_its_name_and_not_by_its_number() -> None:
    [good] = of_power_mode(PowerMode(jetson=True, mode=2, names=NAMES))
    [capped] = of_power_mode(PowerMode(jetson=True, mode=0, names=NAMES, offline_cores="4-7"))
    assert (good.state, good.says) == ("ok", "MAXN_SUPER")
    assert (capped.state, capped.says) == ("warn", "15W; cores 4-7 are off, which caps clocks or cores")
    assert str(capped.do).startswith("sudo nvpmodel -m 2;")
    assert capped.values == {"mode": 0, "mode_name": "15W"}


def test_a_mode_that_is_not_stored_is_asked_for() -> None:
    [unknown] = of_power_mode(PowerMode(jetson=True))
    [server] = of_power_mode(PowerMode(jetson=False))
    assert (unknown.state, server.state) == ("warn", "skipped")


def test_a_slow_governor_warns_but_not_where_the_processor_decides_itself() -> None:
    assert clocks(cpu("schedutil"))[0].state == "ok"
    assert clocks(cpu("powersave"))[0].state == "warn"
    assert clocks(cpu("powersave", driver="intel_pstate"))[0].state == "ok"
    assert clocks()[0].state == "skipped"


def test_clocks_of_a_board_are_to_be_locked() -> None:
    gpu = (Clock(name="17000000.gpu", min_hz=0.306e9, max_hz=1.3005e9, hardware_max_hz=1.3005e9),)
    moving, locked = clocks(cpu(), gpu=gpu)[1], clocks(cpu(low=2.2e9))[1]
    assert (moving.state, moving.says) == (
        "warn",
        "CPU 0.10 to 2.20 GHz, GPU 0.31 to 1.30 GHz: they move with the load",
    )
    assert (locked.state, locked.says, locked.values["locked"]) == ("ok", "CPU at 2.20 GHz", True)
    assert clocks(cpu(), jetson=False)[1].state == "ok"


def test_a_cap_on_the_clock_is_told() -> None:
    assert clocks(cpu(low=1.7e9, high=1.7e9))[1].says == "CPU at 1.70 GHz, capped from 2.20"


def test_events_of_throttling_are_named() -> None:
    [some] = of_throttling(Throttling(counts={"oc1": 0, "oc3": 27390}))
    assert (some.state, some.says) == ("warn", "since this machine started: 27,390 x instantaneous over-current")
    assert of_throttling(Throttling(counts={"oc1": 0}))[0].state == "ok"
    assert of_throttling(Throttling())[0].state == "skipped"


def test_a_zone_near_its_limit_warns_though_another_is_hotter() -> None:
    [near] = of_heat(Heat(zones={"cpu": 70.0, "gpu": 68.0, "cv": -256.0}, limits={"gpu": 75.0, "cpu": 99.0}))
    assert (near.state, near.says) == ("warn", "gpu 68 C, throttles at 75; off: cv")
    [cool] = of_heat(Heat(zones={"cpu": 60.0}))
    assert (cool.state, cool.says) == ("ok", "cpu 60 C")
    assert of_heat(Heat(zones={"cpu": 86.0}))[0].state == "warn"


def test_no_temperature_is_no_fault() -> None:
    assert of_heat(Heat())[0].says == "no sensors here"
    assert of_heat(Heat(zones={"gpu": None, "cv": -256.0}))[0].says == "no zone can be read"


def energy(**facts: object) -> Finding:
    [finding] = of_sensors(Sensors(**{"jetson": True, "source": "ina3221", "samples": 1, **facts}))
    return finding


def test_rails_that_make_a_total_are_fine() -> None:
    finding = energy(rails=RAILS, total=RAILS)
    assert finding.state == "ok"
    assert finding.says.endswith("the total is VDD_GPU_SOC + VDD_CPU_CV + VIN_SYS_5V0")


def test_a_rail_that_is_missing_silent_or_unknown_warns() -> None:
    assert energy(rails=RAILS[:2], total=RAILS, missing=RAILS[2:]).says.endswith("without VIN_SYS_5V0")
    assert energy(rails=RAILS, total=RAILS, closed=("VDD_CPU_CV",)).says == "ina3221: no value of VDD_CPU_CV"
    assert energy(rails=("A", "B")).says.endswith("and which make a total is not known")


def test_no_sensors_warn_on_a_board_alone() -> None:
    assert energy(source="psutil").state == "warn"
    assert energy(source="psutil", jetson=False).state == "skipped"
    assert energy(samples=0, jetson=False).state == "warn"
    assert energy(source="nvml", jetson=False, rails=("gpu0",), total=("gpu0",)).state == "ok"
