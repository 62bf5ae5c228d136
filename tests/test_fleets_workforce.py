"""Hands that carry out what was sent together: one by one, or as one batch."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import torch
from encoders import spec_of, write_shard
from local_training import prepared
from safetensors.torch import load_file

from harness.errors import TrainerError
from harness.fleets.workforce import Ended, Hands, Here, Work, hands_of


class Listing:
    """Hands that fail all works with their place in the group."""

    def carry_out(self, works: Sequence[Work]) -> Iterator[Ended]:
        return (Ended(number=work.number, failed=f"{at} of {len(works)}") for at, work in enumerate(works))


def works_in(folder: Path, state: Path, *shards: Path) -> list[Work]:
    return [
        Work(
            number=client,
            round=1,
            client=client,
            seed=client,
            state=str(state),
            shard=str(shard),
            update=str(folder / f"update-{client}"),
        )
        for client, shard in enumerate(shards)
    ]


@pytest.fixture
def stage(tmp_path: Path) -> tuple[list[Work], list[Hands]]:
    """Two works and one whose shard is missing; hands that train one by one, and as one batch."""
    spec = spec_of("fedlr")
    base, state = prepared(tmp_path, spec)
    shards = [write_shard(tmp_path / f"shard-{rows}", rows) for rows in (5, 9)]
    works = works_in(tmp_path, state, *shards, tmp_path / "missing")
    return works, [hands_of(spec, base, state, fused) for fused in (1, 3)]


def test_here_a_group_is_carried_out_at_a_time(tmp_path: Path) -> None:
    here, works = Here(Listing()), works_in(tmp_path, tmp_path, tmp_path, tmp_path, tmp_path)
    here.send(works[:2])
    here.send(works[2:])
    assert [one.failed for one in here.ended()] == ["0 of 2", "1 of 2"]
    assert [one.failed for one in here.ended()] == ["0 of 1"]


def test_what_was_sent_before_it_was_closed_is_not_carried_out(tmp_path: Path) -> None:
    here, (reading, writing) = Here(Listing()), os.pipe()
    here.send(works_in(tmp_path, tmp_path, tmp_path))
    here.close()
    os.close(writing)  # what can be read wakes it
    assert here.ended([reading]) == []
    os.close(reading)


def test_a_batch_learns_what_its_clients_would_alone(stage: tuple[list[Work], list[Hands]]) -> None:
    works, (alone, together) = stage
    updates = []
    for hands in (alone, together):
        ended = list(hands.carry_out(works))
        assert [one.update is not None for one in ended] == [True, True, False]
        assert "is not a shard" in (ended[2].failed or "")
        updates.append([load_file(work.update) for work in works[:2]])
    for one, other in zip(*updates, strict=True):
        for name in one:
            torch.testing.assert_close(one[name], other[name], rtol=1e-4, atol=1e-5)


def test_the_first_training_is_marked_and_in_a_batch_all_that_share_its_seconds(
    stage: tuple[list[Work], list[Hands]],
) -> None:
    works, hands = stage
    marked = [[[one.warm_up for one in each.carry_out(works[:2])] for _ in range(2)] for each in hands]
    assert marked == [[[True, False], [False, False]], [[True, True], [False, False]]]


def test_a_batch_that_cannot_be_trained_is_the_failure_of_all_in_it(stage: tuple[list[Work], list[Hands]]) -> None:
    works, (_, together) = stage
    Path(works[0].state).write_bytes(b"no state")
    ended = list(together.carry_out(works[:2]))
    assert all("is no safetensors file" in (one.failed or "") for one in ended)


def test_without_a_base_model_nothing_is_trained() -> None:
    with pytest.raises(TrainerError, match="needs a base model"):
        hands_of(spec_of("fedlr"), None, None, 2)
