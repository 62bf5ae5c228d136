"""Recorded seconds under another link, another device and other bytes."""

from __future__ import annotations

import math

import msgspec
import pytest
import timed_runs
from timed_runs import AGGREGATE_S, LTE, STATE_BYTES, timed_run

from analysis.load import Run
from analysis.targets import first_crossing
from harness.errors import ProfileError, StoreError
from harness.library import load_part
from harness.links import transfer
from harness.profiles import DeviceProfile, LinkProfile, RateProfile, ServerSeconds, TrainSeconds
from harness.records import ClientRecord, Clock, ErrorComponents, Header, PrivacySpent, RoundRecord
from harness.retiming import Conditions, recomputed, retimed, retimed_client
from harness.timeline import Timeline
from harness.vitals import Vitals

SLOW = DeviceProfile(name="slow", slowdown=3.0, slower_than="desk")
TABLE = DeviceProfile(
    name="board", seconds=(TrainSeconds(train_s=8.0),), server=ServerSeconds(svd_s=1.5, aggregate_s=0.5)
)
UNSHAPED = LinkProfile(name="unshaped")
CLOCKS: tuple[Clock, ...] = ("critical path", "wall")


def under(run: Run, **conditions: object) -> tuple[Header, tuple[RoundRecord, ...], tuple[ClientRecord, ...]]:
    changed = msgspec.structs.replace(Conditions(), **conditions)
    return retimed(run.experiment, run.header, run.rounds, run.clients, changed)


@pytest.mark.parametrize("clock", CLOCKS)
def test_its_own_link_and_device_leave_what_was_measured(clock: Clock) -> None:
    run = timed_run(clock=clock, late_s=0.75, beyond_s=0.0625)
    own = run.experiment
    assert under(run, link=own.link, device=own.device) == (run.header, run.rounds, run.clients)
    assert under(run) == (run.header, run.rounds, run.clients)


def test_its_own_slow_device_is_not_slowed_down_twice() -> None:
    run = timed_run(of=timed_runs.experiment(device=SLOW))
    assert under(run, device=SLOW) == (run.header, run.rounds, run.clients)
    moved_again = under(run, link=LTE, device=SLOW)[2]
    assert [client.train_s for client in moved_again] == [client.train_s for client in run.clients]


def test_computing_the_seconds_of_a_virtual_fleet_gives_them_again() -> None:
    run = timed_run(of=timed_runs.experiment(device=TABLE), train_s=8.0, load_s=0.0, serialise_s=0.0, other_s=0.0)
    table = msgspec.structs.replace(TABLE, server=ServerSeconds())
    again = recomputed(
        run.experiment, run.header, run.rounds, run.clients, Conditions(link=run.experiment.link, device=table)
    )
    for before, after in zip(run.rounds, again[1], strict=True):
        assert after.elapsed_s == pytest.approx(before.elapsed_s, abs=1e-9)
    for client, retimed_one in zip(run.clients, again[2], strict=True):
        assert retimed_one.total_s == pytest.approx(client.total_s, abs=1e-9)
        assert retimed_one.download_s == pytest.approx(client.download_s, abs=1e-9)


def test_another_link_changes_transfers_and_shipping_alone() -> None:
    run = timed_run()
    header, rounds, clients = under(run, link=LTE)
    one_way_s = 2 * LTE.latency_s + STATE_BYTES * 8 / 5e6
    assert header.svd_s == run.header.svd_s
    assert header.init_s == pytest.approx(0.25 + one_way_s)
    assert clients[0].download_s == clients[0].upload_s == pytest.approx(one_way_s)
    assert (clients[0].train_s, clients[0].load_s) == (run.clients[0].train_s, run.clients[0].load_s)
    local_s = 0.25 + 2.5 + 0.0625 + 0.03125
    assert rounds[0].round_s == pytest.approx(2 * one_way_s + local_s + AGGREGATE_S)
    assert rounds[0].train_s == 2.5
    assert rounds[-1].elapsed_s == pytest.approx((header.init_s or 0.0) + sum(record.round_s for record in rounds))
    assert [record.metrics for record in rounds] == [record.metrics for record in run.rounds]


def test_factors_are_shipped_over_the_other_link_though_their_svd_took_nothing() -> None:
    run = timed_run()
    free = msgspec.structs.replace(run.header, svd_s=0.0, init_s=run.header.ship_s)
    header, _, _ = retimed(run.experiment, free, run.rounds, run.clients, Conditions(link=LTE))
    assert header.init_s == header.ship_s == pytest.approx(0.08 + STATE_BYTES * 8 / 5e6)


def test_what_is_shipped_first_has_bytes_of_its_own() -> None:
    run = timed_run()
    for shipped_bytes, seconds in ((STATE_BYTES // 2, 0.08 + STATE_BYTES * 4 / 5e6), (0, run.header.ship_s)):
        told = msgspec.structs.replace(run.header, shipped_bytes=shipped_bytes)
        assert retimed(run.experiment, told, run.rounds, run.clients, Conditions(link=LTE))[0].ship_s == pytest.approx(
            seconds
        )


def test_what_was_shipped_in_no_time_takes_some_on_another_link() -> None:
    run = timed_run()
    told = msgspec.structs.replace(run.header, shipped_bytes=STATE_BYTES, svd_s=0.0, ship_s=0.0, init_s=0.0)
    header = retimed(run.experiment, told, run.rounds, run.clients, Conditions(link=LTE))[0]
    assert header.init_s == header.ship_s == pytest.approx(0.08 + STATE_BYTES * 8 / 5e6)


def test_what_a_round_told_beside_its_seconds_stays() -> None:
    run = timed_run()
    told = {
        "errors": ErrorComponents(change=2.0, averaging=0.25, truncation=0.125, made=0.25),
        "privacy": PrivacySpent(
            epsilon=1.5,
            delta=1e-5,
            unit="sample",
            noise_multiplier=1.0,
            clip=1.0,
            sample_rate=0.1,
            steps=9,
            accountant="rdp",
        ),
        "client_metrics": {1: {"accuracy": 0.5}},
    }
    rounds = tuple(msgspec.structs.replace(record, **told) for record in run.rounds)
    _, after, _ = retimed(run.experiment, run.header, rounds, run.clients, Conditions(link=LTE))
    assert [(one.errors, one.privacy, one.client_metrics) for one in after] == [tuple(told.values())] * len(rounds)


def test_an_upload_goes_by_its_own_bytes_and_rate() -> None:
    link = msgspec.structs.replace(LTE, up=RateProfile(rate_mbps=2.0))
    _, rounds, clients = under(timed_run(upload_bytes=STATE_BYTES // 4), link=link)
    one = clients[0]
    assert (one.download_s, one.upload_s) == (pytest.approx(0.08 + 1.6), pytest.approx(0.08 + 1.0))
    assert one.upload_bps == pytest.approx(STATE_BYTES * 2 / 1.08)
    assert (one.link_down_bps, one.link_up_bps) == (pytest.approx(5e6), pytest.approx(2e6))
    assert (rounds[0].download_s, rounds[0].upload_s) == (one.download_s, one.upload_s)


@pytest.mark.parametrize("conditions", [Conditions(link=LTE), Conditions(device=TABLE)])
def test_energy_belongs_to_the_link_and_the_device_that_it_was_measured_on(conditions: Conditions) -> None:
    vitals = Vitals(source="ina3221", samples=9, coverage=1.0, energy_j=3.0)
    run = timed_run(energy_j=3.0, vitals=vitals, timeline=Timeline(arrived_s=1.0, phase_at_s={}))
    measured = tuple(msgspec.structs.replace(record, server=vitals) for record in run.rounds)
    _, rounds, clients = retimed(run.experiment, run.header, measured, run.clients, conditions)
    assert {client.energy_j for client in clients} == {record.energy_j for record in rounds} == {None}
    assert {client.vitals for client in clients} == {client.timeline for client in clients} == {None}
    assert {record.server for record in rounds} == {None}
    _, rounds, clients = retimed(run.experiment, run.header, measured, run.clients, Conditions())
    assert (rounds[0].server, clients[0].vitals) == (vitals, vitals), "what was measured beats a model"


def test_bytes_on_the_wire_belong_to_the_wire_they_were_counted_on() -> None:
    run = timed_run(wire_bytes=2_100_000)
    assert under(run, device=TABLE)[1][0].wire_bytes == 4_200_000
    assert under(run, link=LTE)[1][0].wire_bytes is None
    unshaped = timed_run(of=timed_runs.experiment(link=UNSHAPED), wire_bytes=2_100_000)
    assert under(unshaped, payload_factor=0.5)[2][0].wire_bytes is None


def test_part_of_a_byte_is_a_byte() -> None:
    _, _, clients = under(timed_run(upload_bytes=5), link=LTE, payload_factor=0.25)
    assert (clients[0].download_bytes, clients[0].upload_bytes) == (STATE_BYTES // 4, 2)


def test_the_phases_of_a_retimed_round_sum_to_it() -> None:
    for clock in CLOCKS:
        _, rounds, _ = under(timed_run(clock=clock, late_s=0.5), link=LTE, device=SLOW)
        names = ("download_s", "load_s", "train_s", "upload_s", "wait_s", "aggregate_s", "other_s")
        for record in rounds:
            assert sum(getattr(record, name) for name in names) == pytest.approx(record.round_s)


def test_a_trace_is_that_of_the_same_round_and_client() -> None:
    run = timed_run()
    other = LinkProfile(name="uneven", rate_min_mbps=1.0, rate_max_mbps=9.0)
    _, _, clients = under(run, link=other)
    setting = run.experiment.setting("federa")
    for client in clients:
        down = transfer(other, setting, 0, client.round, client.client, "down", STATE_BYTES)
        assert (client.download_s, client.link_down_bps) == down
        assert client.download_bps == pytest.approx(STATE_BYTES * 8 / down.seconds)
    assert len({client.download_s for client in clients}) == len(clients)


def test_the_slowest_client_may_be_another_one() -> None:
    run = timed_run(of=timed_runs.experiment(link=LinkProfile(name="fast", rate_mbps=1000.0)))
    heavy = [
        msgspec.structs.replace(client, upload_bytes=10 * STATE_BYTES) if client.client == 1 else client
        for client in run.clients
    ]
    assert run.rounds[0].train_s == 2.5
    _, rounds, _ = retimed(run.experiment, run.header, run.rounds, heavy, Conditions(link=LTE))
    assert rounds[0].train_s == 2.25


def test_a_slower_device_multiplies_what_is_done_on_it() -> None:
    run = timed_run()
    header, rounds, clients = under(run, device=SLOW)
    before, after = run.clients[0], clients[0]
    assert (after.train_s, after.load_s, after.other_s) == (3 * before.train_s, 3 * before.load_s, 3 * before.other_s)
    assert (after.download_s, after.upload_s) == (before.download_s, before.upload_s)
    assert header == run.header
    assert rounds[0].aggregate_s == AGGREGATE_S


def test_a_table_says_what_training_and_the_server_take() -> None:
    header, rounds, clients = under(timed_run(), device=TABLE)
    assert (clients[0].train_s, clients[0].load_s) == (8.0, 0.0)
    assert (header.svd_s, rounds[0].aggregate_s) == (1.5, 0.5)
    plain, _, _ = under(timed_run("fedlr"), device=TABLE)
    assert (plain.svd_s, plain.init_s) == (0.0, 0.0), "a method without an SVD has none on any server"


def test_by_the_wall_what_nothing_explains_stays() -> None:
    run = timed_run(clock="wall", late_s=0.75)
    _, rounds, _ = under(run, link=LTE)
    assert rounds[0].wait_s == pytest.approx(0.75)
    assert rounds[0].wall_s == rounds[0].round_s == pytest.approx(rounds[0].critical_path_s + 0.75)


def test_half_the_bytes_take_half_as_long_over_the_own_link_too() -> None:
    steady = LinkProfile(name="steady", rate_mbps=8.0)
    run = timed_run(of=timed_runs.experiment(link=steady))
    header, rounds, clients = under(run, payload_factor=0.5)
    assert (clients[0].download_bytes, rounds[0].upload_bytes) == (STATE_BYTES // 2, STATE_BYTES)
    assert clients[0].download_s == pytest.approx(0.5 * run.clients[0].download_s)
    assert header.ship_s == pytest.approx(0.5)
    assert clients[0].wire_bytes is None
    assert rounds[0].wire_bytes is None


def test_a_link_without_a_rate_keeps_its_measured_seconds_for_fewer_bytes() -> None:
    run = timed_run(of=timed_runs.experiment(link=UNSHAPED), beyond_s=0.0625)
    _, rounds, clients = under(run, payload_factor=0.125)
    assert clients[0].download_bytes == STATE_BYTES // 8
    assert [record.elapsed_s for record in rounds] == [record.elapsed_s for record in run.rounds]


def test_a_rate_for_uploads_alone_is_a_rate() -> None:
    upward = LinkProfile(name="upward", up=RateProfile(rate_mbps=8.0))
    _, _, clients = under(timed_run(of=timed_runs.experiment(link=upward)), payload_factor=0.25)
    assert clients[0].download_s == 0.0
    assert clients[0].upload_s == pytest.approx(0.25)


def test_a_run_over_a_table_of_seconds_has_bytes_for_a_rate() -> None:
    table = load_part(LinkProfile, "table8")
    run = timed_run("federa", of=timed_runs.experiment(fleet="virtual", link=table))
    assert run.header.ship_s == 0.0
    header, _, clients = under(run, link=LTE)
    assert clients[0].upload_s == header.ship_s == pytest.approx(0.08 + STATE_BYTES * 8 / 5e6)


def test_one_client_is_computed_even_under_its_own_link() -> None:
    run = timed_run(beyond_s=0.5)
    setting = run.experiment.setting("federa")
    again = retimed_client(run.clients[0], setting, 0, Conditions(link=run.experiment.link))
    assert run.clients[0].download_s - again.download_s == pytest.approx(0.5)
    assert retimed_client(run.clients[0], setting, 0, Conditions()) == run.clients[0]


def test_a_table_without_an_entry_is_said() -> None:
    run = timed_run(of=timed_runs.experiment(model={"timed_as": "minilm"}))
    with pytest.raises(ProfileError, match="no seconds for federa"):
        under(run, device=load_part(DeviceProfile, "table8"))


def test_a_client_without_a_record_is_said() -> None:
    run = timed_run()
    with pytest.raises(StoreError, match="no record of client 2 in round 4"):
        retimed(run.experiment, run.header, run.rounds, run.clients[:-1], Conditions(link=LTE))


@pytest.mark.parametrize(
    ("method", "reached", "value", "seconds", "hours"),
    [
        ("federa", 91, 0.90, 91 * (3.27 + 2 * 1.68) + 8.62, "0.17"),
        ("fedft", 90, 0.90, 90 * (4.59 + 2 * 109.67), "5.60"),
        ("fedlr", 657, 0.99, 657 * (3.27 + 2 * 1.68), "1.21"),
        ("fedap", 214, 0.95, 214 * (3.29 + 2 * 2.47), "0.49"),
        ("fedbf", 554, 0.90, 554 * (3.15 + 2 * 0.96), "0.78"),
    ],
)
def test_a_curve_under_the_seconds_of_federas_table_8_takes_the_hours_of_its_table_5(
    method: str, reached: int, value: float, seconds: float, hours: str
) -> None:
    """RoBERTa-base on 20Newsgroups: training and twice the transfer each round, the SVD once."""
    run = timed_run(method, timed_runs.rising(reached, 0.8 * value))
    link, device = load_part(LinkProfile, "table8"), load_part(DeviceProfile, "table8")
    _, rounds, _ = under(run, link=link, device=device)
    crossing = first_crossing(rounds, run.experiment.target, value)
    assert crossing is not None
    assert crossing.round == reached
    assert math.isclose(crossing.elapsed_s, seconds, rel_tol=1e-12)
    assert f"{crossing.elapsed_s / 3600:.2f}" == hours
