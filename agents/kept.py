"""What is kept of a trained task until the controller has its update: measurements, and what tells the task. Pure."""

from __future__ import annotations

import hashlib

import msgspec

from agents.frames import TrainedFrame
from harness.protocol.messages import BlobRef, Provision, Task


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """A finished transfer: how long it took, how many bytes went over the link, what its profile allowed (mean).

    ``resumed_bytes`` went before it began, in an earlier try; nothing else here tells of them.
    """

    duration_s: float
    moved_bytes: int
    link_bps: float | None
    resumed_bytes: int = 0

    @property
    def achieved_bps(self) -> float:
        """The rate it had."""
        return self.moved_bytes * 8 / self.duration_s if self.duration_s > 0 else 0.0


class TaskKey(msgspec.Struct, frozen=True, kw_only=True):
    """All that an update depends on: tasks of equal keys have equal updates, whichever try or process makes them."""

    run_id: str
    round: int
    client: int
    state_sha256: str
    seed: int
    shard_sha256: str
    prepared_sha256: str
    """Of what the trainer was prepared with: the spec, the base model's files, the initial state."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A trained task: its update, and what was measured until the update was there.

    ``download_bytes`` is the size of the blob that was fetched: the state, or less. ``other_s``, ``wire_bytes`` and
    ``breaks`` are those of the record (:class:`harness.records.ClientRecord`) so far.
    """

    key: TaskKey
    update: BlobRef
    download_bytes: int
    download: Transfer
    trained: TrainedFrame
    other_s: float
    wire_bytes: int
    breaks: int


def key_of(run_id: str, task: Task, shard: BlobRef, provision: Provision) -> TaskKey:
    """The key of a task; how often it was tried is not in it."""
    return TaskKey(
        run_id=run_id,
        round=task.ref.round,
        client=task.ref.client,
        state_sha256=task.state.sha256,
        seed=task.seed,
        shard_sha256=shard.sha256,
        prepared_sha256=_prepared_sha256(provision),
    )


def _prepared_sha256(provision: Provision) -> str:
    what = msgspec.to_builtins((provision.prepare, provision.base, provision.init), str_keys=True)
    return hashlib.sha256(msgspec.json.encode(what, order="deterministic")).hexdigest()
