"""A trainer of a node: it builds its model and carries works out, and all that it says is bytes."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import msgspec
import pytest
from benchtools import TINY

from harness.fleets.cluster_trainer import ClusterTrainer
from harness.fleets.cluster_wire import built_of, ended_of, packed
from harness.fleets.workforce import Work
from harness.launch import experiment_of
from harness.learning.workload import Sources, Workload, prepare
from harness.pipes.process import pinned


@pytest.fixture
def workload(tmp_path: Path) -> Workload:
    """One of the null trainer, with noise."""
    experiment = experiment_of(TINY, ["train.trainer='null'", "train.null_noise=0.1"])
    return prepare(experiment, "federa", Sources(), tmp_path / "work", lambda line: None)


@pytest.fixture
def trainer(monkeypatch: pytest.MonkeyPatch) -> ClusterTrainer:
    for name in pinned(2):
        monkeypatch.setenv(name, "7")
    return ClusterTrainer(2)


def test_libraries_that_come_later_find_their_threads(trainer: ClusterTrainer) -> None:
    assert {name: os.environ[name] for name in pinned(2)} == pinned(2)


def test_a_group_comes_back_as_bytes_with_its_updates(
    trainer: ClusterTrainer, workload: Workload, tmp_path: Path
) -> None:
    assert built_of(trainer.prepare(packed(workload.prepare), 1, str(tmp_path), None, None)).broken is None
    works = [
        Work(number=n, round=1, client=n, seed=n, state="over there", shard="there", update=f"/there/{n}.safetensors")
        for n in (3, 4)
    ]
    state, shards = str(workload.initial_state), [str(workload.shards[n]) for n in (3, 4)]
    answer, *updates = trainer.train(packed(works), state, state, *shards)
    ended = ended_of(answer)
    assert [one.number for one in ended] == [3, 4]
    hashes = [hashlib.sha256(update).hexdigest() for update in updates]
    assert hashes == [one.update.sha256 for one in ended if one.update]
    assert [one.update.name for one in ended if one.update] == ["3.safetensors", "4.safetensors"]
    assert [path.name for path in tmp_path.rglob("*.safetensors") if "trainer-" in str(path)] == []


def test_a_model_that_cannot_be_built_is_said_in_a_sentence(
    trainer: ClusterTrainer, workload: Workload, tmp_path: Path
) -> None:
    train = msgspec.structs.replace(workload.prepare.train, trainer="torch")
    spec = packed(msgspec.structs.replace(workload.prepare, train=train))
    assert built_of(trainer.prepare(spec, 1, str(tmp_path), None, None)).broken == (
        "the torch trainer needs a base model; none was given"
    )
    broken = built_of(trainer.prepare(spec, 1, str(tmp_path), str(tmp_path), None)).broken
    assert broken is not None
    assert str(tmp_path) in broken
