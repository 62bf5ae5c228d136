"""Each warning of devices appears when it should, and only then."""

from __future__ import annotations

from dataclasses import replace

import device_runs
import msgspec

from analysis.caution import Caution
from analysis.happened import Happened
from analysis.load import Run
from analysis.warnings import cautions


def said(*runs: Run) -> dict[str, Caution]:
    return {caution.kind: caution for caution in cautions(runs)}


def quiet(rounds: int = 2) -> Run:
    """A run with nothing to say of its devices but how well their clocks are known."""
    made = device_runs.run(rounds=rounds, lost=False)
    return replace(made, header=msgspec.structs.replace(made.header, devices={}))


def test_a_run_of_sound_devices_has_a_note_on_its_clocks_alone() -> None:
    kinds = set(said(quiet())) & {"throttling", "sensors", "shared energy", "power modes", "doctor", "clock offsets"}
    assert kinds == {"clock offsets"}
    note = said(quiet())["clock offsets"]
    assert note.level == "note"
    assert "±1.35 ms (median), ±1.60 ms at most" in note.text


def test_throttling_is_counted_by_agent_from_its_first_round_on() -> None:
    text = said(device_runs.run(rounds=6))["throttling"].text
    assert text.startswith("FeDeRA: 1 agent throttled, orin-03 4 times from round 5 on:")
    once = device_runs.changed(quiet(), [0], throttle_events=None, flags=("throttled",))
    assert "orin-01 once from round 1 on" in said(once)["throttling"].text


def test_what_sensors_lacked_is_named_with_the_least_coverage() -> None:
    made = device_runs.changed(quiet(), [0, 4], energy_j=None, coverage=0.62, flags=("gap", "low coverage"))
    text = said(made)["sensors"].text
    assert "gaps between samples (2 updates of orin-01)" in text
    assert "an update's time is 62 %" in text


def test_frozen_and_missing_rails_are_told_apart() -> None:
    made = device_runs.changed(quiet(), [0], energy_j=None, flags=("frozen",))
    made = device_runs.changed(made, [1], energy_j=None, flags=("missing rail",))
    text = said(made)["sensors"].text
    assert "a rail gave one value for too long (1 update" in text
    assert "a rail that the total needs is missing (1 update" in text


def test_agents_of_one_machine_that_measured_energy_are_warned_about() -> None:
    made = quiet()
    shared = tuple(
        msgspec.structs.replace(event, host="box") if event.event == "agent-joined" else event for event in made.events
    )
    text = said(replace(made, events=shared))["shared energy"].text
    assert "orin-01, orin-02 and orin-03 share the machine box" in text
    assert "shared energy" not in said(replace(device_runs.without_stamps(made), events=shared))


def test_power_modes_that_differ_between_agents_within_a_run_and_between_runs_are_said() -> None:
    made = quiet()
    second = [place for place, client in enumerate(made.clients) if client.agent == "orin-02"]
    mixed = device_runs.changed(made, second, power_mode="MAXN")
    assert "agents are in different power modes: orin-01 MODE_30W, orin-02 MAXN" in said(mixed)["power modes"].text
    changed = device_runs.changed(made, second[-1:], power_mode="MAXN")
    assert "changed during the run at orin-02 (MODE_30W, MAXN)" in said(changed)["power modes"].text
    fast = device_runs.changed(replace(made), range(len(made.clients)), power_mode="MAXN")
    across = [c.text for c in cautions([made, fast]) if c.kind == "power modes"]
    assert len(across) == 1
    assert across[0].startswith("The runs were made in different power modes: MODE_30W in ")


def test_the_doctors_words_are_said_once_for_all_devices_and_runs_failures_first() -> None:
    bad = {"name": "disk", "state": "fail", "says": "full", "do": "free some"}
    doubt = {"name": "time", "state": "warn", "says": "not synchronised", "do": None}
    header = msgspec.structs.replace(
        quiet().header, devices={"a": {"doctor": [doubt, bad]}, "b": {"doctor": {"findings": [bad]}}}
    )
    runs = [replace(quiet(), header=msgspec.structs.replace(header, method=m)) for m in ("fedlr", "federa")]
    texts = [caution.text for caution in cautions(runs) if caution.kind == "doctor"]
    assert texts == [
        "Doctor, fail, at a and b: disk: full. To do: free some.",
        "Doctor, warn, at a: time: not synchronised.",
    ]
    one = [caution.text for caution in cautions([runs[0], quiet()]) if caution.kind == "doctor"]
    assert one[0].startswith("Doctor, fail, at a and b (FedLR): disk")


def test_clocks_of_a_run_on_one_machine_need_not_be_synchronised() -> None:
    doubts = [{"name": name, "state": "warn", "says": "not so good"} for name in ("load", "time")]
    devices = {"controller": {"doctor": doubts}, "agent-1": {"doctor": []}}
    made = replace(quiet(), header=msgspec.structs.replace(quiet().header, devices=devices))
    assert said(made)["doctor"].text == "Doctor, warn, at controller: load: not so good."
    texts = [caution.text for caution in cautions([made]) if caution.kind == "doctor"]
    assert len(texts) == 1


def test_figures_of_one_finding_that_differ_are_those_of_the_first_device() -> None:
    devices = {name: {"doctor": [{"name": "load", "state": "warn", "says": f"{name} busy"}]} for name in ("a", "b")}
    made = replace(quiet(), header=msgspec.structs.replace(quiet().header, devices=devices))
    assert said(made)["doctor"].text == "Doctor, warn, at a and b: load: a busy (at a; elsewhere alike)."


def test_power_save_of_wifi_has_a_kind_of_its_own() -> None:
    text = said(device_runs.run(rounds=1))["Wi-Fi power save"].text
    assert text == (
        "Doctor, warn, at orin-02: wifi-power-save: power_save of wlan0 is on. To do: run: iw dev wlan0 set power_save "
        "off."
    )


def test_sensors_without_power_are_a_note_and_no_sensors_are_nothing() -> None:
    made = quiet()
    blind = device_runs.changed(made, range(len(made.clients)), energy_j=None, source="psutil", flags=())
    blind = replace(blind, rounds=tuple(msgspec.structs.replace(record, server=None) for record in blind.rounds))
    assert said(blind)["energy"].level == "note"
    assert "the sensors read no power (8)" in said(blind)["energy"].text
    assert "energy" not in said(device_runs.without_stamps(made))


def test_updates_whose_clocks_were_not_compared_are_counted() -> None:
    made = quiet()
    line = made.clients[0].timeline
    assert line is not None
    bare = msgspec.structs.replace(made.clients[0], timeline=msgspec.structs.replace(line, download=None, upload=None))
    text = said(replace(made, clients=(bare, *made.clients[1:])))["clock offsets"].text
    assert "of 1 update the clocks were not compared" in text
    assert isinstance(made.events[0], Happened)
