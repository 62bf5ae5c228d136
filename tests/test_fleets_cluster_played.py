"""A workforce over a cluster that is played: works are spread, tried again, given up, and land whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cluster_stage import Stage, stages

from harness.errors import TrainerError, UsageError
from harness.fleets.cluster_versions import versions
from harness.fleets.cluster_wire import packed
from harness.fleets.workforce import Here, OneByOne
from harness.learning.trainer import make_trainer


@pytest.fixture
def open_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Opens a stage; it is closed at the end."""
    with stages(tmp_path, monkeypatch) as opened:
        yield opened


def test_updates_are_those_of_a_trainer_here(open_stage: Any) -> None:
    stage = open_stage(a=1, b=1)
    stage.ready()
    here = Here(OneByOne(make_trainer(stage.workload.prepare, None, None)))
    for client in (0, 1):
        stage.force.send([stage.work(client)])
        here.send([stage.work(client, prefix="here")])
    over_there = {ended.number: ended for _ in range(2) for ended in stage.told()}
    for client in (0, 1):
        (ended,) = here.ended()
        assert over_there[ended.number].update.sha256 == ended.update.sha256  # type: ignore[union-attr]
        assert over_there[ended.number].done.trained == ended.done.trained  # type: ignore[union-attr]
        landed = (stage.folder / f"update-1-{client}").read_bytes()
        assert landed == (stage.folder / f"here-1-{client}").read_bytes()
    assert stage.trained() == ["a", "b"]


def test_there_are_as_many_trainers_as_wanted_over_all_nodes(open_stage: Any) -> None:
    stage = open_stage(trainers=3, a=4, b=4)
    asked = [node for node, call in stage.cluster.calls if call == "prepare"]
    assert asked == ["a", "a", "b"]


def test_what_is_common_is_put_once(open_stage: Any) -> None:
    stage = open_stage(a=1, b=1)
    stage.ready()
    for client in range(4):
        stage.force.send([stage.work(client)])
    while stage.cluster.coming:
        stage.told()
    assert stage.cluster.put_bytes.count(stage.workload.initial_state.read_bytes()) == 1
    assert len(stage.cluster.put_bytes) == 5


def test_states_of_rounds_before_are_forgotten_but_not_those_in_use(open_stage: Any) -> None:
    stage = open_stage(trainers=2, a=2)
    stage.ready()
    second = stage.folder / "state-2"
    second.write_bytes(stage.workload.initial_state.read_bytes()[:-1] + b"!")
    stage.force.send([stage.work(0)])
    stage.force.send([msgspec.structs.replace(stage.work(1, round=2), state=str(second))])
    assert ("a", "forget") not in stage.cluster.calls
    assert [ended.failed for ended in stage.told()] == [None]
    stage.force.send([msgspec.structs.replace(stage.work(2, round=3), state=str(second))])
    assert stage.cluster.calls.count(("a", "forget")) == 1


def test_a_work_whose_trainer_is_lost_is_sent_to_another(open_stage: Any, caplog: pytest.LogCaptureFixture) -> None:
    stage = open_stage(a=1, b=1)
    stage.ready()
    stage.force.send([stage.work(0)])
    assert stage.told(lost="the worker died") == []
    assert "a trainer on node host-a of the Ray cluster was lost: the worker died" in caplog.text
    assert stage.trained() == ["a", "b"]
    stage.cluster.coming.reverse()  # the trained work, then the trainer that took the lost one's seat
    assert [ended.failed for ended in stage.told()] == [None]


def test_a_work_that_cost_three_trainers_fails_with_the_last_reason(open_stage: Any) -> None:
    stage = open_stage(trainers=1, a=1)
    stage.force.send([stage.work(0)])
    for _ in range(2):
        stage.ready()
        assert stage.told(lost="killed by signal 9") == []
    stage.ready()
    (ended,) = stage.told(lost="killed by signal 9")
    assert ended.failed == "its trainer was lost 3 times, the last time on node host-a: killed by signal 9"


def test_a_node_that_is_lost_does_not_end_the_run(open_stage: Any) -> None:
    stage = open_stage(a=2, b=1)
    stage.ready()
    for client in range(3):
        stage.force.send([stage.work(client)])
    stage.cluster.lose("a")
    found = stage.told(lost="the node died")
    for _ in range(6):
        found += stage.told() if stage.cluster.coming else []
    assert sorted(ended.number for ended in found if ended.failed is None) == [100, 101, 102]
    assert set(stage.trained()) == {"a", "b"}


def test_a_run_goes_on_with_nodes_that_came_later(open_stage: Any) -> None:
    stage = open_stage(a=1)
    stage.ready()
    stage.force.send([stage.work(0)])
    stage.cluster.cores["b"] = 1
    stage.cluster.lose("a")
    assert stage.told(lost="the node died") == []
    stage.ready()
    assert [ended.failed for ended in stage.told()] == [None]
    assert stage.trained() == ["a", "b"]


def test_nodes_that_came_later_with_other_versions_are_left_out(open_stage: Any) -> None:
    stage = open_stage(a=1)
    stage.ready()
    stage.force.send([stage.work(1)])
    stage.cluster.cores |= {"b": 1, "c": 1}
    stage.cluster.says["b", "versions"] = packed(msgspec.structs.replace(versions(), sources="0" * 12))
    stage.cluster.lose("a")
    stage.told("the node died")
    stage.ready()
    assert [one.number for one in stage.told()] == [101]
    assert "b" not in stage.trained()


def test_without_any_node_the_run_ends_in_a_sentence(open_stage: Any) -> None:
    stage = open_stage(a=1)
    stage.ready()
    stage.cluster.lose("a")
    stage.force.send([stage.work(0)])
    with pytest.raises(TrainerError, match="all nodes of the Ray cluster are lost"):
        stage.told()


def test_a_node_on_which_no_trainer_becomes_ready_is_given_up(open_stage: Any) -> None:
    stage = open_stage(a=1, b=1)
    stage.force.send([stage.work(0)])
    (first, *others) = stage.cluster.coming
    stage.cluster.coming = [first]
    for _ in range(3):
        stage.told(lost="no memory")
    assert stage.cluster.coming == []
    stage.cluster.coming = others
    stage.ready()
    assert [ended.failed for ended in stage.told()] == [None]


def test_an_update_with_another_hash_counts_as_lost(open_stage: Any) -> None:
    stage = open_stage(trainers=1, a=1)
    stage.ready()
    stage.force.send([stage.work(0)])
    (answer, told) = stage.cluster.coming[0]
    stage.cluster.coming[0] = ([answer[0], b"rubbish"], told)
    assert stage.told() == []
    assert not (stage.folder / "update-1-0").exists()
    stage.ready()
    assert [ended.failed for ended in stage.told()] == [None]


def test_a_model_that_cannot_be_built_ends_the_run(open_stage: Any) -> None:
    stage = open_stage(trainers=1, a=1)
    stage.cluster.coming[0] = (
        msgspec.msgpack.encode({"broken": "no such model", "usage": True}),
        stage.cluster.coming[0][1],
    )
    with pytest.raises(UsageError, match="no such model"):
        stage.told()


def test_nodes_without_cores_enough_are_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no node of the Ray cluster has 4 cores, .* \(the largest has 2\)"):
        Stage(tmp_path, threads=4, a=2, b=1)


def test_a_node_where_nothing_starts_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="node host-b of the Ray cluster cannot run federa-bench"):
        Stage(tmp_path, silent="b", a=1, b=1)
