"""Who trains the clients of a virtual fleet: this process, or others behind the same few calls."""

from __future__ import annotations

import select
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from harness.blobs import blob_of
from harness.errors import FederaBenchError, TrainerError
from harness.learning.measured import Measured, measured
from harness.learning.spec import PrepareSpec, Trainer
from harness.learning.trainer import make_trainer
from harness.protocol.messages import BlobRef

LONGEST_WAIT_S = 0.5


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """One local training. ``number`` is its own in a run; ``state``, ``shard`` and ``update`` are files.

    The state is whole; all chance comes from ``seed``.
    """

    number: int
    round: int
    client: int
    seed: int
    state: str
    shard: str
    update: str


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How a training ended: what was ``done`` and the hash and size of its ``update``, or why it ``failed``.

    ``warm_up``: it was the first of its trainer, or one of the first batch: all of a batch share its seconds.
    """

    number: int
    done: Measured | None = None
    update: BlobRef | None = None
    failed: str | None = None
    warm_up: bool = False


class Workforce(Protocol):
    """Trains; works that are sent together are trained as one batch where the trainers can."""

    def send(self, works: Sequence[Work]) -> None:
        """Have these trained, after those sent before where nobody is free."""

    def ended(self, wake_fds: Sequence[int] = ()) -> list[Ended]:
        """What ended since the last call, in any order. Waits for one at most half a second, or until a descriptor of
        ``wake_fds`` is readable.

        Raises:
            OSError: a file could not be read or written. The disk is the run's own: without it no client would go on.
            FederaBenchError: those who train are gone, and cannot be replaced.
        """

    def close(self) -> None:
        """Let go of them; what was sent is not wanted any more."""


class Hands(Protocol):
    """Carries out works that were sent together, on a model that stays between calls."""

    def carry_out(self, works: Sequence[Work]) -> Iterator[Ended]:
        """How each ended, as it ends.

        Raises:
            OSError: a file could not be read or written.
        """


class OneByOne:
    """Hands of one trainer, which trains one after another."""

    def __init__(self, trainer: Trainer) -> None:
        self._trainer, self._fresh = trainer, True

    def carry_out(self, works: Sequence[Work]) -> Iterator[Ended]:
        """See :class:`Hands`."""
        for work in works:
            ended = carried_out(self._trainer, work, self._fresh)
            self._fresh = self._fresh and ended.done is None
            yield ended


class TogetherInOne:
    """Hands that train as one batch what was sent together, with a :class:`harness.learning.fused.FusedTrainer`."""

    def __init__(self, spec: PrepareSpec, base: Path, init: Path | None) -> None:
        from harness.learning.fused import FusedTrainer, LocalTask  # with it comes torch

        self._trainer, self._task, self._fresh = FusedTrainer(spec, base, init), LocalTask, True

    def carry_out(self, works: Sequence[Work]) -> Iterator[Ended]:
        """See :class:`Hands`. What goes wrong in one is its client's failure, in the batch as a whole everyone's."""
        tasks = [self._task(**_files(work), seed=work.seed, round=work.round) for work in works]
        found: Sequence[Measured | TrainerError]
        try:
            found = self._trainer.together(tasks)
        except FederaBenchError as error:
            found = [TrainerError(str(error))] * len(works)
        except (RuntimeError, ValueError) as error:
            found = [TrainerError(f"{type(error).__name__}: {error}")] * len(works)
        warm_up = self._fresh
        self._fresh = warm_up and all(isinstance(done, TrainerError) for done in found)
        return (_ended(work, done, warm_up) for work, done in zip(works, found, strict=True))


class Here:
    """Trains in this process, one group after another, when it is asked what ended."""

    def __init__(self, hands: Hands) -> None:
        self._hands = hands
        self._waiting: deque[Sequence[Work]] = deque()

    def send(self, works: Sequence[Work]) -> None:
        """See :class:`Workforce`."""
        self._waiting.append(works)

    def ended(self, wake_fds: Sequence[int] = ()) -> list[Ended]:
        """Train the group that has waited longest."""
        if self._waiting:
            return list(self._hands.carry_out(self._waiting.popleft()))
        select.select(wake_fds, [], [], LONGEST_WAIT_S)
        return []

    def close(self) -> None:
        """See :class:`Workforce`."""
        self._waiting.clear()


def hands_of(spec: PrepareSpec, base: Path | None, init: Path | None, fused: int) -> Hands:
    """Hands with their model built: ``base`` is the model's folder, ``init`` the tensors shipped once.

    With ``fused`` above 1 the works that were sent together are trained as one batch.

    Raises:
        UsageError: ``base`` is not a usable model folder.
        TrainerError: something that the method needs was not given.
    """
    if fused == 1 or spec.train.trainer == "null":
        return OneByOne(make_trainer(spec, base, init))
    if base is None:
        raise TrainerError("the torch trainer needs a base model; none was given")
    return TogetherInOne(spec, base, init)


def carried_out(trainer: Trainer, work: Work, warm_up: bool) -> Ended:
    """The training itself; what goes wrong in it is the client's failure, as on a device. ``warm_up``: it is the first.

    Raises:
        OSError: a file could not be read or written.
    """
    try:
        return _ended(work, _measured(trainer, work), warm_up)
    except FederaBenchError as error:
        return Ended(number=work.number, failed=str(error))


def _measured(trainer: Trainer, work: Work) -> Measured:
    try:
        return measured(trainer, **_files(work), seed=work.seed, round=work.round)
    except (RuntimeError, ValueError) as error:
        raise TrainerError(f"{type(error).__name__}: {error}") from error


def _ended(work: Work, done: Measured | TrainerError, warm_up: bool) -> Ended:
    if isinstance(done, TrainerError):
        return Ended(number=work.number, failed=str(done))
    return Ended(number=work.number, done=done, update=blob_of(Path(work.update)), warm_up=warm_up)


def _files(work: Work) -> dict[str, Path]:
    return {"state": Path(work.state), "shard": Path(work.shard), "update": Path(work.update)}
