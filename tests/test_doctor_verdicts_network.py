"""Verdicts on wires, radio, the way to the controller and kernel shaping."""

from harness.doctor.facts import Radio, Reach, Shaping, Wire
from harness.doctor.findings import Finding
from harness.doctor.verdicts.network import of_radios, of_reach, of_shaping, of_wires

AT = "10.0.0.1:5555"


def reach(*trips_ms: float, **facts: object) -> Finding:
    [finding] = of_reach(Reach(**{"address": AT, "round_trips_s": tuple(ms / 1e3 for ms in trips_ms), **facts}))
    return finding


def radio(**facts: object) -> Finding:
    [finding] = of_radios([Radio(**{"name": "wlan0", "up": True, "power_save": False, **facts})])
    return finding


def shaping(**facts: object) -> Finding:
    [finding] = of_shaping(Shaping(**facts))
    return finding


def test_the_median_of_round_trips_is_told() -> None:
    finding = reach(0.4, 0.5, 90.0, listens=True, interface="eth0")
    assert (finding.state, finding.says) == ("ok", f"{AT}: round trip 0.5 ms over eth0")
    assert finding.values["round_trip_s"] == 0.0005


def test_a_slow_way_warns() -> None:
    assert reach(55.0, 60.0, 40.0, listens=True).state == "warn"


def test_a_controller_that_does_not_run_yet_is_no_failure() -> None:
    finding = reach(0.5, listens=False)
    assert (finding.state, finding.says) == ("warn", f"{AT}: round trip 0.5 ms; nothing listens")


def test_a_controller_that_cannot_be_reached_is_one() -> None:
    assert reach(problem="no answer in time").says == f"{AT} cannot be reached: no answer in time"
    assert reach(problem="no answer in time").state == "fail"
    assert of_reach(None)[0].state == "skipped"


def test_the_rate_of_wires() -> None:
    [good] = of_wires([Wire(name="eth0", up=True, rate_mbps=1000, duplex="full"), Wire(name="eth1", up=False)])
    [slow] = of_wires([Wire(name="eth0", up=True, rate_mbps=1000), Wire(name="eth1", up=True, rate_mbps=100)])
    [half] = of_wires([Wire(name="eth0", up=True, rate_mbps=1000, duplex="half")])
    assert (good.state, good.says) == ("ok", "eth0 1000 Mbit/s")
    assert (slow.state, slow.values["interface"]) == ("warn", "eth1")
    assert (half.state, half.says) == ("warn", "eth0 1000 Mbit/s, half duplex")


def test_no_wire_is_no_fault() -> None:
    assert of_wires([])[0].state == "skipped"
    assert of_wires([Wire(name="eth0", up=False)])[0].says == "no wire is up"
    assert of_wires([Wire(name="eth0", up=True)])[0].says == "eth0 up; its rate is not told"


def test_a_radio_that_saves_power_warns() -> None:
    saving = radio(power_save=True, bitrate_mbps=390.0, signal_dbm=-52.0)
    assert (saving.state, saving.says) == ("warn", "wlan0: power saving on, 390 Mbit/s, -52 dBm")
    assert "sudo iw dev wlan0 set power_save off" in str(saving.do)
    assert radio(bitrate_mbps=390.0, signal_dbm=-52.0).state == "ok"


def test_a_radio_that_is_weak_slow_or_unknown_warns() -> None:
    assert "nearer" in str(radio(signal_dbm=-75.0).do)
    assert "5 GHz" in str(radio(bitrate_mbps=24.0).do)
    assert "install iw" in str(radio(power_save=None).do)


def test_no_radio_is_no_fault() -> None:
    assert of_radios([])[0].state == "skipped"
    assert radio(up=False).says == "wlan0 is not connected"


def test_kernel_shaping_that_is_not_possible_is_no_fault() -> None:
    assert shaping(missing=("tc",)).says == "not possible, tc not here; user-space shaping is"
    assert shaping(disciplines=False).state == "skipped"
    assert 'federa-bench)" shaper --group' in str(shaping(disciplines=True).do)
    assert shaping(missing=("tc",)).state == shaping().state == "skipped"


def test_a_helper_that_refuses_warns_with_its_own_words() -> None:
    refused = shaping(runs=True, problem="this user may not use it; add it to the group, or set link.shaping: user")
    assert (refused.state, refused.says) == ("warn", "this user may not use it")
    assert refused.do == "add it to the group, or set link.shaping: user"
    assert shaping(runs=True, interface="eth0").says.endswith("towards the controller over eth0")
