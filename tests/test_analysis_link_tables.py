"""What travelled, and how links kept their rates."""

from __future__ import annotations

from run_folders import client_record, experiment, round_record, run

from analysis import link_tables
from harness.profiles import LinkProfile, RateProfile


def test_bytes_are_a_clients_payload_and_the_runs_totals() -> None:
    table = link_tables.transfers([run(clients=[client_record(upload_bps=20e6)])])
    assert table.rows == (("FeDeRA", "500", "500", "8.00", "8.40", "25.0", "25.0", "20.0", "25.0"),)
    assert table.records[0]["wire_bytes"] == 8400


def test_bytes_on_the_wire_are_not_measured_where_there_is_no_wire() -> None:
    made = run(metrics=(0.5,))
    without = type(made)(made.header, (round_record(1, 0.5, wire_bytes=None),), made.clients, made.path)
    (row,) = link_tables.transfers([without]).rows
    assert row[4] == "n/a"


def test_each_direction_of_a_shaped_link_has_its_rates_and_who_keeps_them() -> None:
    clients = [client_record(upload_bps=rate, link_up_bps=24e6) for rate in (22e6, 23e6, 24e6)]
    down, up = link_tables.link_rates([run(clients=clients)]).rows
    assert down == ("FeDeRA", "down", "user", "25", "3", "25.0", "25.0", "25.0", "25.0", "100.0 %")
    assert up == ("FeDeRA", "up", "user", "25", "3", "24.0", "23.0", "22.0", "24.0", "95.8 %")
    kernel = experiment(link={"shaping": "kernel"})
    assert {row[2] for row in link_tables.link_rates([run(clients=clients, of=kernel)]).rows} == {"kernel"}


def test_a_transfer_that_moved_nothing_and_a_link_that_is_not_shaped_have_no_rate() -> None:
    clients = [client_record(download_bytes=0, link_up_bps=None)]
    assert link_tables.link_rates([run(clients=clients)]).rows == ()
    free = experiment(link={"rate_mbps": None})
    assert link_tables.link_rates([run(clients=[client_record()], of=free)]).rows == ()


def test_a_virtual_fleet_has_no_link_to_measure() -> None:
    assert link_tables.link_rates([run(clients=[client_record()], of=experiment(fleet="virtual"))]).rows == ()


def test_a_profile_rate_is_told_by_its_kind() -> None:
    link = LinkProfile(name="x", rate_min_mbps=20, rate_max_mbps=30, up=RateProfile(rates_mbps=(5, 2.5, 7)))
    assert [link_tables.profile_words(link.rate(way)) for way in ("down", "up")] == ["20 to 30", "2.5 to 7, recorded"]
    assert link_tables.profile_words(RateProfile()) == ""
