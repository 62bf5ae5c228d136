"""What limits retimed numbers is said, and nothing else is."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
import timed_runs
from timed_runs import LTE, timed_run

from analysis.load import Run
from analysis.retime.cautions import retime_cautions
from analysis.retime.study import study
from harness.library import load_part
from harness.profiles import DeviceProfile, LinkProfile, ServerSeconds, TrainSeconds
from harness.records import Failure

SLOW = DeviceProfile(name="slow", slowdown=3.0, slower_than="desk")
TRUE = timed_runs.experiment(model={"timed_as": None})


def said(
    run: Run, link: LinkProfile | None = None, device: DeviceProfile | None = None, wire: str | None = None
) -> str:
    return "\n".join(f"{each.level}: {each.text}" for each in retime_cautions(study([run, run], link, device, wire)))


def test_another_link_and_a_device_compared_with_the_recorded_one_need_no_word() -> None:
    assert said(timed_run(of=TRUE), LTE, SLOW) == ""
    assert said(timed_run(of=TRUE)) == ""


def test_other_payloads_assume_equal_accuracy() -> None:
    text = said(timed_run(of=TRUE), LTE, wire="float16")
    assert "warning: Payloads as float16 change only the bytes here (50 % of those of float32)" in text
    assert "is assumed, not trained" in text
    assert "saves no time" not in text


@pytest.mark.parametrize(
    ("link", "words"),
    [
        ("unshaped", "Link unshaped has no rate: a transfer takes its latency alone (0 s)"),
        ("table8", "a table of seconds"),
    ],
)
def test_a_link_that_says_nothing_about_bytes_is_said(link: str, words: str) -> None:
    text = said(timed_run(of=timed_runs.experiment()), load_part(LinkProfile, link), wire="int8")
    assert words in text
    assert f"Seconds over {link} do not depend on bytes, so int8 saves no time there." in text


def test_a_device_compared_with_another_than_the_recorded_one_is_said_once() -> None:
    text = said(timed_run(of=TRUE), device=load_part(DeviceProfile, "orin-nano"))
    assert text.count("Device orin-nano is compared with table8, but runs were timed on desk") == 1


def test_a_device_without_seconds_changes_nothing() -> None:
    text = said(timed_run(of=TRUE), device=load_part(DeviceProfile, "local"))
    assert text == "warning: Device local has no seconds of its own: training takes what it took on desk."


def test_a_table_without_the_servers_seconds_leaves_aggregation() -> None:
    board = DeviceProfile(name="board", seconds=(TrainSeconds(train_s=8.0),))
    assert said(timed_run(of=TRUE), device=board).startswith("note: Device board says nothing about aggregation")
    whole = msgspec.structs.replace(board, server=ServerSeconds(aggregate_s=0.0))
    assert said(timed_run(of=TRUE), device=whole) == ""


def test_bytes_of_a_stand_in_are_the_stand_ins() -> None:
    text = said(timed_run(of=timed_runs.experiment()), LTE)
    assert "Bytes are those of tiny, which was trained in place of roberta-base" in text


def test_rounds_that_would_pass_their_deadline_are_counted() -> None:
    of = msgspec.structs.replace(TRUE, rounds=msgspec.structs.replace(TRUE.rounds, deadline_s=6.0))
    text = said(timed_run(of=of), LTE)
    assert "would miss the round's deadline (rounds.deadline_s): FeDeRA" in text
    assert "in 4 rounds of 4" in text


def test_failed_clients_and_waits_stay() -> None:
    run = timed_run(of=TRUE, clock="wall")
    failed = msgspec.structs.replace(run.rounds[0], failed=(Failure(client=3, agent="agent-2", reason="lost"),))
    text = said(Run(run.header, (failed, *run.rounds[1:]), run.clients, run.path), LTE)
    assert "note: Clients that failed in a round fail in it here too." in text
    assert "note: Runs by the wall keep" in text


def test_disturbed_updates_keep_the_seconds_of_their_transfers_over_their_own_link() -> None:
    made = timed_run(of=TRUE)
    broken = replace(made, clients=(msgspec.structs.replace(made.clients[0], breaks=1), *made.clients[1:]))
    assert "Updates whose connection broke" in said(broken, device=SLOW)
    assert said(broken, LTE, SLOW) == ""
