"""Joules are summed where every part was measured, and never guessed."""

from __future__ import annotations

import device_runs
import msgspec
import pytest
import run_folders

from analysis import energy


def test_devices_idle_waiting_and_server_are_apart() -> None:
    made = device_runs.run(rounds=2, lost=False)
    spent = energy.spent(made, 1)
    own = [client for client in made.clients if client.round == 1]
    assert spent.devices_j == pytest.approx(sum(client.energy_j or 0 for client in own))
    assert spent.idle_j == pytest.approx(device_runs.IDLE_W * sum(client.total_s for client in own))
    wall_s = made.rounds[0].wall_s
    idle_s = 3 * wall_s - sum(client.total_s for client in own)
    assert spent.waiting_j == pytest.approx(device_runs.IDLE_W * idle_s)
    assert spent.server_j == pytest.approx(device_runs.SERVER_W * wall_s)
    assert spent.why == ""


def test_one_update_without_energy_leaves_none_and_its_reason() -> None:
    made = device_runs.changed(device_runs.run(rounds=2), [1], energy_j=None, flags=("gap", "low coverage"))
    spent = energy.spent(made)
    assert spent.devices_j is None
    assert spent.why == "1 of 8 updates: gap (1), low coverage (1)"
    assert spent.idle_j is not None
    assert energy.spent(made, 0).why == "no update is recorded"


def test_what_no_sensor_read_has_its_reason() -> None:
    made = device_runs.run(rounds=1)
    assert energy.spent(device_runs.without_stamps(made)).why == "4 of 4 updates: no sensors were read (4)"
    blind = device_runs.changed(made, range(4), energy_j=None, source="psutil", rails_j={})
    assert energy.spent(blind).why == "4 of 4 updates: the sensors read no power (4)"
    virtual = run_folders.run(clients=[run_folders.client_record()], of=run_folders.experiment(fleet="virtual"))
    assert energy.spent(virtual).why == "a virtual fleet has no sensors"


def test_waiting_is_known_only_where_each_agent_has_a_device_of_its_own_and_an_idle_baseline() -> None:
    made = device_runs.run(rounds=1, lost=False)
    shared = msgspec.structs.replace(made.header, clock="critical path")
    assert energy.spent(type(made)(shared, made.rounds, made.clients, made.path)).waiting_j is None
    agents = [client.agent for client in made.clients]
    of_first = [number for number, agent in enumerate(agents) if agent == agents[0]]
    assert energy.spent(device_runs.changed(made, of_first, idle_w=None)).idle_j is None


def test_an_idle_baseline_that_was_found_late_holds_for_the_updates_before_it() -> None:
    made = device_runs.run(rounds=2, lost=False)
    assert energy.spent(device_runs.changed(made, [0], idle_w=None)).idle_j == energy.spent(made).idle_j


def test_a_rail_that_an_update_misses_has_no_sum() -> None:
    made = device_runs.run(rounds=1)
    rails = energy.rails_j(made)
    assert set(rails) == set(device_runs.RAILS)
    assert all(joules and joules > 0 for joules in rails.values())
    first = made.clients[0].vitals
    assert first is not None
    part = device_runs.changed(made, [0], rails_j={**first.rails_j, "VDD_CPU_CV": None})
    assert energy.rails_j(part)["VDD_CPU_CV"] is None


def test_sources_and_the_least_coverage_are_those_of_the_updates() -> None:
    made = device_runs.changed(device_runs.run(rounds=1), [2], coverage=0.4, source="jtop")
    assert (energy.sources(made), energy.least_coverage(made)) == (("ina3221", "jtop"), 0.4)
    assert energy.is_measured(made)
    assert not energy.is_measured(run_folders.run())
