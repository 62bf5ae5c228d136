"""Which runs may be measured, and which of them together."""

from __future__ import annotations

import msgspec
import pytest
from measured_runs import DESK, WIFI, experiment, run

from harness.errors import UsageError
from harness.measuring import check, disturbed, measured_device, measured_link


def test_runs_of_several_methods_on_one_device_over_one_link_go_together() -> None:
    check([run(method="federa"), run(method="fedft", size_bytes=9_000_000), run(method="fedft")])


def test_a_virtual_run_measures_nothing() -> None:
    with pytest.raises(UsageError, match=r"runs/federa is a run of a virtual fleet.*measure a run on agents"):
        check([run(experiment(fleet="virtual"))])


def test_a_run_without_a_closed_round_says_how_it_goes_on() -> None:
    with pytest.raises(UsageError, match=r"nothing to measure; go on with it: federa-bench resume runs/federa"):
        check([run(updates=[])])


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (run(experiment(device=msgspec.structs.replace(DESK, threads=4)), name="b"), "1 and 4 threads"),
        (run(name="b", environment={"cores": 8}), r"different machines \(cores: 2 and 8\)"),
        (run(name="b", environment={"cores": 2, "cpu": "Orin"}), r"different machines \(cpu: None and Orin\)"),
        (run(experiment(link=msgspec.structs.replace(WIFI, name="lte")), name="b"), r"links \(wifi and lte\)"),
        (run(experiment(link=msgspec.structs.replace(WIFI, latency_s=1.0)), name="b"), "two, both named wifi"),
    ],
)
def test_runs_of_different_devices_or_links_are_measured_one_by_one(other, why: str) -> None:
    with pytest.raises(UsageError, match=rf"a and b .*{why}.*measure them one by one"):
        check([run(name="a"), other])


def test_the_same_method_is_measured_once_only_if_it_trains_the_same_way() -> None:
    longer = experiment()
    longer = experiment(train=msgspec.structs.replace(longer.train, batch_size=longer.train.batch_size * 2))
    with pytest.raises(UsageError, match="a and b train federa in different ways"):
        check([run(name="a"), run(longer, name="b")])
    check([run(name="a"), run(longer, method="fedbf", name="b")])


def test_a_part_of_a_run_has_the_rounds_that_fit() -> None:
    part = run(rounds=5).only(lambda round: round > 3)
    assert [record.round for record in part.rounds] == [4, 5]
    assert {record.round for record in part.clients} == {4, 5}


def test_disturbed_updates_are_left_out_where_there_are_others_and_that_is_said() -> None:
    steady = run()
    broken = [msgspec.structs.replace(each, download_s=60.0, train_s=60.0, breaks=1) for each in steady.clients[:2]]
    resumed = [msgspec.structs.replace(each, upload_s=0.0, resumed_bytes=9) for each in steady.clients[2:4]]
    mixed = steady._replace(clients=(*broken, *resumed, *steady.clients[4:]))
    others = steady._replace(clients=steady.clients[4:])
    assert measured_device([mixed]) == measured_device([others])
    assert measured_link([mixed]) == measured_link([others])
    assert disturbed([mixed]) == (
        "the connection broke during 4 of 12 updates, or they were resumed after a restart; they are left out of what "
        "is measured",
    )
    assert disturbed([steady]) == ()


def test_where_all_updates_were_disturbed_they_are_measured_all_the_same() -> None:
    steady = run()
    all_broken = steady._replace(clients=tuple(msgspec.structs.replace(each, breaks=1) for each in steady.clients))
    assert measured_device([all_broken]) == measured_device([steady])
    assert measured_link([all_broken]) == measured_link([steady])
    assert "there are no others" in disturbed([all_broken])[0]
