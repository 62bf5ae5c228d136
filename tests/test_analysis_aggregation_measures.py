"""Bytes, errors and epsilon as the records tell them."""

from __future__ import annotations

from dataclasses import replace

import aggregation_runs
import msgspec
import pytest
from aggregation_runs import ADAPTER, HALF, HEAD
from run_folders import demo, run

from analysis.aggregation import measures
from analysis.load import Run
from harness.profiles import MethodProfile, PrivacyProfile
from harness.records import ClientRecord, ErrorComponents


def test_the_head_s_bytes_are_told_from_the_adapter_s() -> None:
    payload = measures.upload(aggregation_runs.run("fedlr"))
    assert payload is not None
    assert (payload.adapter, payload.head) == (4 * ADAPTER, 4 * HEAD)


def test_bytes_that_change_from_round_to_round_are_means_over_updates() -> None:
    down = measures.download(aggregation_runs.run("flora", rounds=2))
    assert down is not None
    assert down.adapter == 4 * (HEAD + 10 * ADAPTER) / 2


def test_a_head_that_stays_has_no_bytes_and_one_with_its_control_variate_twice() -> None:
    personal = measures.upload(aggregation_runs.run("fedsa"))
    assert personal == measures.Payload(whole=4 * HALF, head=0.0)
    adapted = measures.upload(aggregation_runs.run("fedlr", settings=MethodProfile(scaffold=True)))
    assert adapted is not None
    assert adapted.head == 8 * HEAD


def test_a_head_that_is_not_known_or_larger_than_the_file_is_not_told_apart() -> None:
    made = aggregation_runs.run("fedlr", rounds=1)
    unknown = replace(made, header=msgspec.structs.replace(made.header, parameters=None))
    for each in (unknown, replace(demo("fedlr", rounds=1), clients=tuple(_tiny(made)))):
        payload = measures.download(each)
        assert payload is not None
        assert (payload.head, payload.adapter, payload.shown) == (None, None, payload.whole)


def _tiny(made: Run) -> list[ClientRecord]:
    return [msgspec.structs.replace(client, download_bytes=10) for client in made.clients]


def test_nothing_travels_of_a_reference_or_without_updates() -> None:
    assert measures.download(aggregation_runs.run("central")) is None
    assert measures.upload(run()) is None


def test_an_error_is_a_mean_and_a_last_of_the_rounds_that_tell_it() -> None:
    made = aggregation_runs.run("fra", rounds=3)
    told = (ErrorComponents(change=1.0, averaging=0.4, truncation=0.1, made=0.1), None)
    still = ErrorComponents(change=0.0, averaging=None, truncation=None, made=None)
    rounds = [msgspec.structs.replace(r, errors=e) for r, e in zip(made.rounds, (*told, still), strict=True)]
    assert measures.errors(replace(made, rounds=tuple(rounds)), "averaging") == measures.Course(mean=0.4, last=0.4)
    course = measures.errors(made, "made")
    assert course is not None
    assert course.last == made.rounds[-1].errors.made  # type: ignore[union-attr]
    assert course.mean == pytest.approx(sum(r.errors.made for r in made.rounds if r.errors) / 3)  # type: ignore[misc]
    assert measures.errors(demo("fedlr", rounds=2), "made") is None


def test_what_was_spent_is_what_the_last_round_tells() -> None:
    made = aggregation_runs.run("ffa", rounds=4, privacy=PrivacyProfile(kind="dp-sgd"))
    spent = measures.spent(made)
    assert spent is not None
    assert spent.steps == 100
    assert measures.spent(aggregation_runs.run("ffa", rounds=1)) is None


def test_the_last_metric_is_that_of_the_last_evaluated_round() -> None:
    assert measures.last_metric(run((0.5, 0.7, None)), "accuracy") == 0.7
    assert measures.last_metric(run((None,)), "accuracy") is None
