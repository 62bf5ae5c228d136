"""Which clock speaks for a run."""

from __future__ import annotations

from harness.rounds.clock import clock_for, shared_hosts

DEVICES = {"a": "orin-1", "b": "orin-2", "c": "orin-3"}


def test_a_device_for_each_client_of_a_round_is_timed_by_the_wall() -> None:
    assert clock_for(DEVICES, clients_per_round=3) == clock_for(DEVICES, clients_per_round=2) == "wall"


def test_an_agent_that_trains_two_clients_of_a_round_is_no_fleet() -> None:
    assert clock_for(DEVICES, clients_per_round=4) == "critical path"


def test_agents_that_share_a_machine_are_no_fleet() -> None:
    assert clock_for({**DEVICES, "d": "orin-1"}, clients_per_round=3) == "critical path"


def test_one_device_that_trains_the_only_client_is_a_fleet_of_one() -> None:
    assert clock_for({"a": "orin-1"}, clients_per_round=1) == "wall"


def test_each_shared_host_is_named_once_with_its_agents() -> None:
    two = shared_hosts({"b": "desk", "a": "desk", "c": "orin-1", "e": "shelf", "d": "shelf"})
    assert [sentence.split(", not")[0] for sentence in two] == [
        "agents a, b share a host: desk",
        "agents d, e share a host: shelf",
    ]
    assert all("a round counts as its slowest client" in sentence for sentence in two)


def test_devices_of_their_own_need_no_words() -> None:
    assert shared_hosts(DEVICES) == ()
