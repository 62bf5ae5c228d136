"""Runs retimed as a whole: what is kept, and how conditions are named."""

from __future__ import annotations

from dataclasses import replace

import pytest
import timed_runs
from timed_runs import LTE, timed_run

from analysis.retime.study import device_words, link_words, rate_bounds_bps, retimed_run, study
from harness.errors import StoreError
from harness.library import load_part
from harness.profiles import DeviceProfile, LinkProfile, RateProfile
from harness.retiming import Conditions


def test_a_study_keeps_the_recorded_runs_beside_the_retimed_ones() -> None:
    runs = [timed_run("fedlr"), timed_run("federa")]
    made = study(runs, link=LTE)
    assert list(made.recorded) == runs
    for before, after in zip(made.recorded, made.retimed, strict=True):
        assert after.rounds[-1].elapsed_s > 1.5 * before.rounds[-1].elapsed_s
        assert [record.state_sha256 for record in after.rounds] == [record.state_sha256 for record in before.rounds]
        assert after.experiment == before.experiment


def test_nothing_given_is_as_recorded() -> None:
    made = study([timed_run()])
    assert made.retimed == made.recorded
    assert made.words == "as recorded"


def test_the_conditions_in_words() -> None:
    orin = load_part(DeviceProfile, "orin-nano")
    assert study([], LTE, orin, "float16").words == "over lte on orin-nano as float16"
    assert study([], wire="int4").words == "as int4"
    assert study([], wire="int4").conditions.payload_factor == 0.125


def test_what_is_damaged_is_said_with_its_folder() -> None:
    run = timed_run()
    with pytest.raises(StoreError, match=r"runs/federa: clients\.jsonl has no record of client 1 in round 1"):
        retimed_run(replace(run, clients=run.clients[1:]), Conditions(link=LTE))


def test_a_run_without_rounds_stays_without() -> None:
    assert retimed_run(timed_run(metrics=()), Conditions(link=LTE)).rounds == ()


@pytest.mark.parametrize(
    ("link", "words"),
    [
        (LTE, "lte (5 Mbit/s, latency 40 ms)"),
        (load_part(LinkProfile, "wifi-20-30"), "wifi-20-30 (20 to 30 Mbit/s, latency 2 ms)"),
        (load_part(LinkProfile, "table8"), "table8 (a table of seconds)"),
        (load_part(LinkProfile, "unshaped"), "unshaped (no rate)"),
        (
            LinkProfile(name="home", rates_mbps=(50.0, 40.0), up=RateProfile(rate_mbps=10.0), overhead_s=0.5),
            "home (40 to 50 Mbit/s down, 10 Mbit/s up, 0.5 s a transfer)",
        ),
    ],
)
def test_a_link_in_words(link: LinkProfile, words: str) -> None:
    assert link_words(link) == words


def test_a_device_in_words() -> None:
    assert device_words(load_part(DeviceProfile, "orin-nano")) == "orin-nano (3 times slower than table8)"
    assert device_words(load_part(DeviceProfile, "table8")) == "table8 (a table of seconds)"
    assert device_words(timed_runs.experiment().device) == "desk"


def test_the_bounds_of_a_link_are_those_of_both_directions_or_none() -> None:
    assert rate_bounds_bps(load_part(LinkProfile, "wifi-20-30")) == (20e6, 30e6)
    assert rate_bounds_bps(LTE) == (5e6, 5e6)
    assert rate_bounds_bps(LinkProfile(name="home", rate_mbps=50.0, up=RateProfile(rate_mbps=10.0))) is None
    assert rate_bounds_bps(load_part(LinkProfile, "table8")) is None
