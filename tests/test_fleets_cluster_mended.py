"""What a workforce over a cluster does about nodes that live and are of no use: no memory, or no room on the disk."""

from __future__ import annotations

from collections.abc import Iterator
from errno import ENOSPC
from pathlib import Path
from typing import Any

import pytest
from cluster_stage import stages

from harness.errors import TrainerError
from harness.fleets.cluster_crew import MOST_FALSE_STARTS, MOST_FAULTS
from harness.fleets.cluster_holder import Holder
from harness.fleets.workforce import Ended


@pytest.fixture
def open_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Opens a stage; it is closed at the end."""
    with stages(tmp_path, monkeypatch) as opened:
        yield opened


def test_where_no_trainer_becomes_ready_on_any_node_the_run_ends_with_the_reason(open_stage: Any) -> None:
    stage = open_stage(trainers=1, a=1)
    stage.force.send([stage.work(0)])
    for _ in range(MOST_FALSE_STARTS - 1):
        assert stage.told(lost="no memory") == []
    with pytest.raises(TrainerError, match=r"lost or given up \(the last one, host-a: no memory\)"):
        stage.told(lost="no memory")
    assert stage.cluster.coming == []


def test_only_trainers_in_a_row_that_do_not_become_ready_cost_their_node(open_stage: Any) -> None:
    stage = open_stage(trainers=2, a=2)
    assert stage.told(lost="no memory") == []
    assert stage.told() == []  # the other one is ready
    for _ in range(MOST_FALSE_STARTS - 1):
        assert stage.told(lost="no memory") == []
    stage.ready()
    stage.force.send([stage.work(0)])
    assert [ended.failed for ended in stage.told()] == [None]


def test_a_lost_nodes_seats_fall_to_nodes_that_had_none(open_stage: Any) -> None:
    stage = open_stage(trainers=1, a=1, b=1)
    stage.ready()
    stage.force.send([stage.work(0)])
    stage.cluster.lose("a")
    assert stage.told(lost="the node died") == []
    stage.ready()
    assert [ended.failed for ended in stage.told()] == [None]
    assert stage.trained() == ["a", "b"]


class Disk:
    """What all played nodes write to; it is full for the next ``full`` files."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full, self._hold = 0, Holder.hold
        monkeypatch.setattr(Holder, "hold", lambda holder, sha256, data: self.hold(holder, sha256, data))

    def hold(self, holder: Holder, sha256: str, data: bytes) -> str:
        self.full -= 1
        if self.full >= 0:
            raise OSError(ENOSPC, "No space left on device")
        return self._hold(holder, sha256, data)


@pytest.mark.parametrize("full", [1, 2])
def test_a_file_that_a_node_could_not_write_is_put_there_again(
    full: int, open_stage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk, stage = Disk(monkeypatch), open_stage(a=3)
    stage.ready()
    disk.full = full
    for client in range(5):
        stage.force.send([stage.work(client)])
    found: list[Ended] = []
    while stage.cluster.coming:
        found += stage.told()
    assert sorted((ended.number, ended.failed) for ended in found) == [(100 + client, None) for client in range(5)]


def test_what_models_are_built_from_is_put_on_a_node_again_too(
    open_stage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(monkeypatch)
    disk.full = 1
    stage = open_stage(a=4)
    stage.force.send([stage.work(0)])
    found: list[Ended] = []
    while stage.cluster.coming:
        found += stage.told()
    assert [ended.failed for ended in found] == [None]


def test_a_node_whose_disk_stays_full_is_given_up_and_no_client_fails_for_it(
    open_stage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk, stage = Disk(monkeypatch), open_stage(trainers=1, a=1)
    stage.ready()
    disk.full = 1000
    stage.force.send([stage.work(0)])
    for _ in range(MOST_FAULTS - 1):
        assert stage.told() == []
        stage.ready()
    with pytest.raises(TrainerError, match=r"given up \(the last one, host-a: .*No space left on device\)"):
        stage.told()
