"""The device of a run: a table of seconds, and the server's."""

from __future__ import annotations

import msgspec
import pytest
from measured_runs import (
    AGGREGATE_S,
    DESK,
    LOAD_S,
    OTHER_S,
    SERIALISE_S,
    STEP_S,
    SVD_S,
    experiment,
    run,
    update,
)

from harness.devices import LocalSeconds, local_seconds
from harness.measuring import measured_device, unlike_agents
from harness.profiles import ServerSeconds, TrainSeconds


def test_a_device_is_the_mean_of_its_updates() -> None:
    device = measured_device([run()])
    assert device.name == "measured-desk"
    assert device.threads == DESK.threads
    assert device.seconds == (
        TrainSeconds(
            model="tiny",
            dataset="topics",
            method="federa",
            step_s=STEP_S,
            load_s=LOAD_S,
            serialise_s=SERIALISE_S,
            other_s=OTHER_S,
        ),
    )
    assert device.server == ServerSeconds(svd_s=SVD_S, aggregate_s=AGGREGATE_S)


def test_the_virtual_fleet_s_arithmetic_gives_the_measured_seconds_back() -> None:
    of = experiment()
    device = measured_device([run(of)])
    nothing = LocalSeconds(0.0, 0.0, 0.0, 0.0)
    assert local_seconds(device, of.setting("federa"), 7, nothing) == pytest.approx(
        (LOAD_S, 7 * STEP_S, SERIALISE_S, OTHER_S)
    )


def test_a_few_updates_of_a_busy_moment_do_not_move_it() -> None:
    busy = [
        msgspec.structs.replace(record, train_s=record.train_s * 10, load_s=3.0) if place < 2 else record
        for place, record in enumerate(run().clients)
    ]
    assert measured_device([run(updates=busy)]) == measured_device([run()])


def test_warm_ups_are_left_out_where_there_are_others() -> None:
    of = experiment()
    cold = [msgspec.structs.replace(update(of, "federa", 1, c, 1000), train_s=9.0, warm_up=True) for c in range(5)]
    warm = [update(of, "federa", 2, c, 1000) for c in range(2)]
    assert measured_device([run(of, updates=[*cold, *warm])]).seconds[0].step_s == STEP_S
    assert measured_device([run(of, updates=cold)]).seconds[0].step_s > 1


def test_each_method_has_an_entry_and_its_seeds_share_it() -> None:
    device = measured_device([run(method="federa"), run(method="fedbf"), run(method="federa", seed=1)])
    assert [entry.method for entry in device.seconds] == ["federa", "fedbf"]
    assert device.server.svd_s == SVD_S


def test_a_trainer_without_steps_is_measured_by_its_whole_training() -> None:
    still = [msgspec.structs.replace(record, steps=0, train_s=0.5) for record in run().clients]
    entry = measured_device([run(updates=still)]).seconds[0]
    assert (entry.step_s, entry.train_s) == (None, 0.5)


def test_a_method_without_svd_leaves_the_server_s_out() -> None:
    assert measured_device([run(method="fedlr")]).server.svd_s is None


def test_aggregation_of_payloads_of_unlike_sizes_has_no_common_seconds() -> None:
    large = run(method="fedft")
    slow = large._replace(rounds=tuple(msgspec.structs.replace(r, aggregate_s=2.0) for r in large.rounds))
    assert measured_device([run(), slow]).server.aggregate_s is None
    assert measured_device([run(), run(method="fedft")]).server.aggregate_s == AGGREGATE_S


def test_a_model_that_stands_for_another_is_entered_under_that_one_s_name() -> None:
    of = experiment()
    of = experiment(model=msgspec.structs.replace(of.model, timed_as="roberta-base"))
    assert measured_device([run(of)]).seconds[0].model == "roberta-base"


def test_agents_of_unlike_devices_are_told() -> None:
    mixed = [
        msgspec.structs.replace(record, agent="agent-2", train_s=3 * record.train_s) if record.client else record
        for record in run().clients
    ]
    assert unlike_agents([run()]) == ()
    (sentence,) = unlike_agents([run(updates=mixed)])
    assert sentence.startswith("federa: a step took agent-2 3.0 times the seconds of agent-1")
