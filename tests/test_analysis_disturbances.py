"""What disturbed a run is said in one sentence each, and only where it happened."""

from __future__ import annotations

import msgspec
from run_folders import client_record, experiment, round_record, run

from analysis import facts, stats
from analysis.disturbances import disturbances
from analysis.front import front_of
from analysis.load import Run
from analysis.sections import sections_of
from analysis.warnings import cautions
from harness.records import ClientRecord, Late, RoundRecord


def said(of: Run) -> dict[str, str]:
    return {caution.kind: caution.text for caution in disturbances("FeDeRA", of)}


def with_rounds(*rounds: RoundRecord, **profile: int) -> Run:
    made = run(of=experiment(rounds=profile))
    return Run(made.header, rounds, (), made.path)


def with_updates(*clients: ClientRecord) -> Run:
    return run((0.5, 0.8), clients=clients)


def late(client: int, why: str = "its round was closed") -> Late:
    return Late(round=1, client=client, agent="a", attempt=1, why=why)


def test_an_undisturbed_run_is_not_spoken_of() -> None:
    assert said(with_updates(client_record())) == {}


def test_late_updates_are_counted_with_their_reasons() -> None:
    rounds = (
        round_record(2, 0.8, late=(late(1), late(2))),
        round_record(3, 0.8, late=(late(3, "the update of b counted"),)),
    )
    assert said(with_rounds(*rounds)) == {
        "late updates": "FeDeRA: 3 updates came late and were not aggregated: its round was closed (2); the update of "
        "b counted (1)."
    }
    assert "1 update came late and was not aggregated" in said(with_rounds(rounds[1]))["late updates"]


def test_broken_connections_are_counted_and_whose_seconds_hold_them() -> None:
    broken = with_updates(client_record(client=1, breaks=2), client_record(client=2, breaks=1), client_record(client=3))
    assert said(broken) == {
        "broken connections": "FeDeRA: the connection broke 3 times during 2 updates, whose seconds hold the outages."
    }


def test_clients_that_were_trained_again_are_counted_with_what_that_cost() -> None:
    again = with_updates(client_record(attempt=2), client_record(client=2))
    text = "FeDeRA: 1 client was trained again after an agent was lost or a task failed; "
    unseen = "the tables hold neither seconds nor bytes of the attempts before."
    assert said(again) == {"repeated clients": text + unseen}
    header = msgspec.structs.replace(again.header, clock="wall")
    held = "the rounds' seconds hold the attempts before, the bytes do not."
    assert said(Run(header, again.rounds, again.clients, again.path)) == {"repeated clients": text + held}


def test_updates_that_stood_still_are_counted() -> None:
    still = with_updates(client_record(other_s=6.5, total_s=10.0625), client_record(client=2, other_s=1.5, total_s=5.0))
    assert said(still) == {
        "standstill": "FeDeRA: 1 update stood still for most of the time, up to 6.50 s (other): as while a link is "
        "down for a moment, or a trainer starts anew. The clock counts it."
    }


def test_resumed_updates_are_counted() -> None:
    resumed = with_updates(client_record(resumed_bytes=300), client_record(client=2))
    assert said(resumed) == {
        "resumed updates": "FeDeRA: 1 update was resumed after a restart; what was moved before it is missing from the "
        "seconds of its transfers."
    }


def test_over_selection_is_said_of_every_run_that_has_it() -> None:
    rounds = (round_record(1, 0.8, selected=(1, 2, 3), spare=(3,)), round_record(2, 0.8))
    made = with_rounds(*rounds, clients_per_round=2, over_selection=1)
    assert said(made) == {
        "over-selection": "FeDeRA chose 3 clients a round and took the first 2 updates: which clients count depends on "
        "who is fast. Of 1 spare client the tables show neither seconds nor bytes."
    }
    assert dict(facts.facts([made]))["clients"] == "2 of 40 a round (the first of 3)"


def test_spare_clients_are_no_failures() -> None:
    made = with_rounds(round_record(1, 0.8, selected=(1, 2, 3), spare=(3,)), clients_per_round=2, over_selection=1)
    assert not [caution for caution in cautions([made]) if caution.kind == "failed clients"]
    page = repr(sections_of([made], cautions([made])))
    assert "No client failed; 1 spare client" in page
    assert "Every chosen client completed" not in page
    assert "Every chosen client completed" in repr(sections_of([run()], ()))


def test_warnings_that_limit_what_can_be_read_reach_the_front_of_the_report() -> None:
    made = with_updates(client_record(breaks=1))
    assert any(caution.kind == "broken connections" for caution in cautions([made]))
    assert "broken connections" in repr(front_of([made], cautions([made])))


def test_links_are_judged_by_undisturbed_transfers_where_there_are_any() -> None:
    slow = client_record(client=2, upload_bps=1e6, breaks=1)
    assert stats.upload_use(with_updates(client_record(), slow, slow)).achieved_bps == 25e6
    assert stats.upload_use(with_updates(slow)).achieved_bps == 1e6


def test_a_run_of_an_older_schema_has_no_disturbances() -> None:
    old = {name: value for name, value in msgspec.to_builtins(round_record(1)).items() if name not in ("spare", "late")}
    client = msgspec.to_builtins(client_record())
    del client["breaks"], client["resumed_bytes"]
    read = msgspec.convert(old, RoundRecord)
    assert (read.spare, read.late) == ((), ())
    assert msgspec.convert(client, ClientRecord).undisturbed
