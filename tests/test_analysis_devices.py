"""What agents told of their devices, and what of it can be read."""

from __future__ import annotations

import device_runs
import run_folders

from analysis.devices import devices_of, devices_table


def test_a_device_has_its_model_power_mode_clocks_and_the_doctors_words() -> None:
    table = devices_table([device_runs.run(rounds=1)])
    assert [row[0] for row in table.rows] == ["orin-01", "orin-02", "orin-03", "controller"]
    assert [column.label for column in table.columns] == ["agent", "model", "power mode", "clocks", "doctor"]
    assert table.rows[1][1:] == (
        "NVIDIA Jetson AGX Orin Developer Kit",
        "MODE_30W",
        "governor schedutil; cpu max 1,728 MHz; gpu max 612 MHz",
        "warn: wifi-power-save: power_save of wlan0 is on",
    )
    assert table.rows[0][-1] == "1 finding, none of them bad"


def test_runs_that_tell_the_same_of_a_device_share_its_row() -> None:
    table = devices_table([device_runs.run(method, rounds=1) for method in ("fedlr", "federa")])
    assert [row[1] for row in table.rows] == ["all"] * 4
    assert len(table.records) == 8
    other = run_folders.run(devices={"a": {}})
    assert [row[1] for row in devices_table([device_runs.run(rounds=1), other]).rows][-1] != "all"


def test_reports_of_any_shape_are_read_as_far_as_they_can_be() -> None:
    odd = {
        "a": {"device": None, "doctor": None},
        "b": {"device": {"board": None, "gpus": ["H200", "H200"], "nested": {"governor": "performance"}}},
        "c": {"device": "words", "doctor": {"findings": [{"name": 3}, "x", {"name": "disk", "state": "fail"}]}},
        "d": {"shaping": {"kind": "htb", "interface": "wlan0"}, "doctor": 7},
    }
    a, b, c, d = devices_of(run_folders.run(devices=odd))
    assert a.words == ("a", "", "", "", "", "not examined")
    assert (b.model, b.clocks) == ("H200 and H200", (("governor", "performance"),))
    assert [finding.name for finding in c.unsound] == ["disk"]
    assert d.uplink == "htb on wlan0"


def test_a_power_mode_that_only_sensors_told_is_taken_from_them() -> None:
    made = device_runs.run(rounds=1)
    bare = run_folders.run(clients=made.clients, devices={"orin-01": {}})
    assert devices_of(bare)[0].power_mode == "MODE_30W"


def test_a_run_without_reports_has_no_rows() -> None:
    assert devices_table([run_folders.run()]).rows == ()
