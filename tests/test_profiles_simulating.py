"""How many processes train, and when that is to be warned of."""

from __future__ import annotations

import msgspec
import pytest
from run_folders import experiment

from harness.profiles import DeviceProfile, Experiment, PartitionProfile, RoundsProfile, SimulationProfile, TrainSeconds
from harness.profiles.simulating import disturbed, processes_of

TABLE = DeviceProfile(name="table", seconds=(TrainSeconds(step_s=1.0),))
PAIRS = DeviceProfile(name="pairs", seconds=(TrainSeconds(step_s=1.0),), threads=2)


def virtual(device: DeviceProfile, clients: int = 6, trainer: str = "torch", **simulation: int) -> Experiment:
    one = experiment(
        fleet="virtual",
        device=device,
        partition=PartitionProfile(clients=clients),
        rounds=RoundsProfile(count=1, clients_per_round=clients),
        simulation=SimulationProfile(**simulation),
    )
    return msgspec.structs.replace(one, train=msgspec.structs.replace(one.train, trainer=trainer))


@pytest.mark.parametrize(
    ("device", "settings", "processes"),
    [
        (TABLE, {}, 4),
        (PAIRS, {}, 2),
        (TABLE, {"clients": 3}, 3),
        (TABLE, {"fused_clients": 4}, 2),
        (TABLE, {"processes": 5}, 5),
        (TABLE, {"processes": 1}, 1),
        (TABLE, {"trainer": "null"}, 1),
        (DeviceProfile(name="measured"), {}, 1),
        (DeviceProfile(name="measured"), {"processes": 2}, 2),
    ],
)
def test_there_is_a_process_for_each_core_where_nothing_measured_counts(
    device: DeviceProfile, settings: dict[str, int], processes: int
) -> None:
    assert processes_of(virtual(device, **settings), cores=4) == processes


def test_one_process_has_the_gpu_unless_more_are_asked_for() -> None:
    assert processes_of(virtual(TABLE), cores=4, gpu=True) == 1
    assert processes_of(virtual(TABLE, processes=2), cores=4, gpu=True) == 2


def test_a_device_of_more_threads_than_cores_has_one_process() -> None:
    assert processes_of(virtual(PAIRS), cores=1) == 1


@pytest.mark.parametrize(
    ("device", "settings", "said"),
    [
        (TABLE, {"processes": 2, "fused_clients": 2}, None),
        (DeviceProfile(name="measured"), {}, None),
        (DeviceProfile(name="measured"), {"clients": 1, "processes": 2}, None),
        (DeviceProfile(name="measured"), {"processes": 2}, "2 at a time"),
        (DeviceProfile(name="measured"), {"fused_clients": 3}, "up to 3 in one batch"),
        (DeviceProfile(name="measured"), {"processes": 2, "fused_clients": 3}, "2 at a time and up to 3 in one batch"),
    ],
)
def test_seconds_that_are_not_those_of_a_client_alone_are_warned_of(
    device: DeviceProfile, settings: dict[str, int], said: str | None
) -> None:
    warning = disturbed(virtual(device, **settings))
    assert warning is None if said is None else f"were trained {said} on this machine" in (warning or "")


@pytest.mark.parametrize(
    ("device", "settings", "said"),
    [
        (TABLE, {}, None),
        (DeviceProfile(name="measured"), {"clients": 1}, None),
        (DeviceProfile(name="measured"), {"processes": 1}, None),
        (DeviceProfile(name="measured"), {}, "up to 6 at a time on a Ray cluster"),
        (DeviceProfile(name="measured"), {"processes": 3}, "up to 3 at a time on a Ray cluster"),
        (DeviceProfile(name="measured"), {"fused_clients": 6}, "up to 6 in one batch on a Ray cluster"),
    ],
)
def test_over_a_cluster_several_are_trained_at_a_time_without_anybody_asking(
    device: DeviceProfile, settings: dict[str, int], said: str | None
) -> None:
    warning = disturbed(msgspec.structs.replace(virtual(device, **settings), fleet="ray"))
    assert warning is None if said is None else f"were trained {said}, and" in (warning or "")
