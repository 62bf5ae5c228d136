"""The seconds, bytes and joules of a round, from those of its clients."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from run_folders import client_record

from harness.records import ClientRecord, Clock, Failure
from harness.rounds.events import Aggregated, Evaluated
from harness.rounds.phases import ClosedRound, critical_path_s, energy_j, phases, round_record, slowest
from harness.vitals import Vitals

PARTS = ("download_s", "load_s", "train_s", "upload_s", "wait_s", "aggregate_s", "other_s")

seconds = st.floats(0.0, 1e5)


def trained(client: int, train_s: float, **changes: Any) -> ClientRecord:
    """A client that does nothing but train, and 1 s of other things."""
    rest = dict.fromkeys(("download_s", "load_s", "serialise_s", "upload_s"), 0.0)
    facts = {**rest, "train_s": train_s, "other_s": 1.0, "total_s": train_s + 1.0, **changes}
    return client_record(1, client, **facts)


def closed(clock: Clock, *clients: ClientRecord, **changes: Any) -> ClosedRound:
    facts: dict[str, Any] = {
        "round": 1,
        "clock": clock,
        "elapsed_before_s": 100.0,
        "wall_s": 30.0,
        "selected": (1, 2, 3),
        "clients": clients,
        "failed": (),
        "aggregated": Aggregated(at_s=130.0, round=1, state_sha256="e" * 64, aggregate_s=2.0),
        "evaluated": Evaluated(at_s=135.0, round=1, metrics={"accuracy": 0.5}, evaluate_s=5.0),
        **changes,
    }
    return ClosedRound(**facts)


def test_by_the_critical_path_a_round_is_its_slowest_client_and_aggregation() -> None:
    record = round_record(closed("critical path", trained(1, 9.0), trained(2, 4.0)))
    assert (record.round_s, record.train_s, record.aggregate_s) == (12.0, 9.0, 2.0)
    assert (record.wait_s, record.other_s) == (0.0, 1.0)
    assert record.elapsed_s == 112.0


def test_by_the_wall_a_round_is_what_it_took_and_the_last_clients_phases() -> None:
    record = round_record(closed("wall", trained(1, 9.0), trained(2, 4.0)))
    assert (record.round_s, record.train_s, record.aggregate_s) == (30.0, 4.0, 2.0)
    assert (record.wait_s, record.other_s) == (23.0, 1.0)
    assert record.elapsed_s == 130.0


@pytest.mark.parametrize("clock", ["wall", "critical path"])
def test_both_clocks_are_recorded_whichever_speaks(clock: Clock) -> None:
    record = round_record(closed(clock, trained(1, 9.0), trained(2, 4.0)))
    assert (record.wall_s, record.critical_path_s) == (30.0, 12.0)


def test_serialising_is_in_other() -> None:
    client = trained(1, 9.0, serialise_s=0.5, total_s=10.5)
    assert phases("critical path", [client], wall_s=30.0, aggregate_s=2.0).other_s == 1.5


def test_durations_of_several_clocks_may_claim_more_than_the_wall_and_still_sum_to_it() -> None:
    parts = phases("wall", [trained(1, 9.0)], wall_s=11.5, aggregate_s=2.0)
    assert (parts.round_s, parts.wait_s, parts.other_s) == (11.5, 0.0, 0.5)


@given(st.sampled_from(["wall", "critical path"]), st.lists(st.tuples(seconds, seconds), min_size=1), seconds, seconds)
def test_phases_sum_to_the_round(
    clock: Clock, times: list[tuple[float, float]], wall_s: float, aggregate_s: float
) -> None:
    clients = [
        trained(number, train_s, upload_s=upload_s, total_s=train_s + upload_s + 1.0)
        for number, (train_s, upload_s) in enumerate(times)
    ]
    parts = phases(clock, clients, wall_s, aggregate_s)
    assert sum(getattr(parts, name) for name in PARTS) == pytest.approx(parts.round_s, abs=1e-6)
    assert parts.wait_s >= 0.0


@given(st.permutations([3.0, 7.0, 7.0, 5.0]))
def test_the_critical_path_does_not_depend_on_the_order_of_arrival(times: list[float]) -> None:
    clients = [trained(number, train_s) for number, train_s in enumerate(times)]
    assert slowest(clients).client == times.index(7.0)
    assert critical_path_s(clients, aggregate_s=2.0) == 10.0


def test_bytes_are_sums_over_the_completed_clients() -> None:
    one = trained(1, 1.0, download_bytes=10, upload_bytes=20, wire_bytes=31)
    two = trained(2, 1.0, download_bytes=100, upload_bytes=200, wire_bytes=310)
    record = round_record(closed("wall", one, two))
    assert (record.download_bytes, record.upload_bytes, record.wire_bytes) == (110, 220, 341)


def test_energy_is_the_sum_or_not_known() -> None:
    assert energy_j([trained(1, 1.0, energy_j=2.5), trained(2, 1.0, energy_j=0.0)]) == 2.5
    assert energy_j([trained(1, 1.0, energy_j=2.5), trained(2, 1.0)]) is None


def test_completed_clients_are_listed_in_order_and_failures_with_their_reason() -> None:
    failure = Failure(client=3, agent="b", reason="out of memory")
    record = round_record(closed("wall", trained(2, 1.0), trained(1, 1.0), failed=(failure,)))
    assert (record.selected, record.completed, record.failed) == ((1, 2, 3), (1, 2), (failure,))


def test_evaluation_is_recorded_and_not_counted() -> None:
    evaluated = round_record(closed("wall", trained(1, 9.0)))
    silent = round_record(closed("wall", trained(1, 9.0), evaluated=None))
    assert (evaluated.metrics, evaluated.evaluate_s) == ({"accuracy": 0.5}, 5.0)
    assert (silent.metrics, silent.evaluate_s) == ({}, None)
    assert evaluated.elapsed_s == silent.elapsed_s
    assert evaluated.state_sha256 == "e" * 64


def test_what_the_server_measured_is_that_of_the_new_state() -> None:
    vitals = Vitals(source="nvml", samples=9, coverage=1.0, energy_j=700.0)
    aggregated = Aggregated(at_s=130.0, round=1, state_sha256="e" * 64, aggregate_s=2.0, server=vitals)
    record = round_record(closed("wall", trained(1, 9.0, energy_j=5.0), aggregated=aggregated))
    assert (record.server, record.energy_j) == (vitals, 5.0), "its clients' energy is another thing"
