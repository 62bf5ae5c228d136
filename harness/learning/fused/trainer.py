"""A trainer of several clients at once."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from torch import Tensor

from harness.errors import BlobError, TrainerError, UsageError
from harness.learning.compute import be_deterministic
from harness.learning.finite import check_finite
from harness.learning.fused.crew import Crew
from harness.learning.fused.deberta import give_each_its_positions
from harness.learning.fused.layers import give_each_its_own
from harness.learning.fused.learner import Learner
from harness.learning.fused.opening import Opening
from harness.learning.fused.task import LocalTask
from harness.learning.fused.training import JointTraining
from harness.learning.measured import Measured
from harness.learning.memory import peak_rss_bytes
from harness.learning.network import Network
from harness.learning.schedule import lr_factor
from harness.learning.spec import PrepareSpec, Trained
from harness.learning.tensors import save_state
from harness.profiles.fusing import refusal_of

TRIED = ("bert", "camembert", "distilbert", "deberta-v2", "electra", "roberta", "xlm-roberta")
"""The types of encoders whose layers are known to keep rows apart, and to drop out where it is looked for."""


class FusedTrainer:
    """Trains the clients of a round as one batch; the model stays, and is built once.

    Settings of the whole process are changed, as by :class:`harness.learning.torch_trainer.TorchTrainer`.

    Raises:
        UsageError: the method or the encoder is none whose clients can be trained together.
        TrainerError: something that the method needs was not given.
    """

    def __init__(self, spec: PrepareSpec, base: Path, init: Path | None) -> None:
        if refused := refusal_of(spec.method, spec.settings):
            raise UsageError(refused)
        be_deterministic(spec.threads)
        self._spec, self._crew = spec, Crew()
        self._network = Network(base, spec, init)
        self._opening = Opening(self._network, spec)
        model = self._network.model
        if (kind := model.config.model_type) not in TRIED:
            raise UsageError(
                f"encoders of type '{kind}' were not tried with clients trained as one batch, only {', '.join(TRIED)}; "
                "set simulation.fused_clients to 1"
            )
        give_each_its_own(model, self._network.attached.trainable, self._crew)
        give_each_its_positions(model, self._crew)

    def together(self, tasks: Sequence[LocalTask]) -> list[Measured | TrainerError]:
        """Train all tasks, those of a round as one batch: what each did, or why it failed, in the order of the tasks.

        A task that fails leaves the others as they are. Seconds are shares of what the batch took, so that they sum to
        it: of loading an equal one, of training and of processor time one by the tokens that a client was trained on.
        ``serialise_s`` is each client's own.

        Raises:
            OSError: a file could not be read or written.
            RuntimeError: the batch could not be computed, for want of memory say.
        """
        done: dict[int, Measured | TrainerError] = {}
        for round in sorted({task.round for task in tasks}):
            done |= self._round(round, {number: task for number, task in enumerate(tasks) if task.round == round})
        return [done[number] for number in range(len(tasks))]

    def _round(self, round: int, tasks: dict[int, LocalTask]) -> dict[int, Measured | TrainerError]:
        """The tasks of one round, by number."""
        cpu_s, marks = time.process_time(), [time.monotonic()]
        learners, done = self._open(round, tasks)
        if not learners:
            return done
        self._network.synchronise()
        marks.append(time.monotonic())
        lr = self._spec.settings.lr * lr_factor(self._spec.train, round, self._spec.rounds)
        training = JointTraining(self._network, self._spec, self._crew, learners, lr)
        training.run()
        self._network.synchronise()
        marks.append(time.monotonic())
        load_s, train_s = (after - before for before, after in pairwise(marks))
        results = zip(training.learners, training.own(), training.losses(), strict=True)
        saved = [(learner, *self._save(learner, own, loss)) for learner, own, loss in results]
        cpu_s, tokens = time.process_time() - cpu_s, sum(learner.tokens for learner in learners)
        for learner, trained, serialise_s in saved:
            share = learner.tokens / tokens
            done[learner.number] = (
                trained
                if isinstance(trained, TrainerError)
                else Measured(
                    trained=trained,
                    load_s=load_s / len(learners),
                    train_s=train_s * share,
                    serialise_s=serialise_s,
                    cpu_s=cpu_s * share,
                    peak_rss_bytes=peak_rss_bytes(),
                )
            )
        return done

    def _open(
        self, round: int, tasks: dict[int, LocalTask]
    ) -> tuple[list[Learner], dict[int, Measured | TrainerError]]:
        """Those that can be trained, and why the others cannot."""
        self._opening.begin(round, {task.state for task in tasks.values()})
        learners: list[Learner] = []
        failed: dict[int, Measured | TrainerError] = {}
        for number, task in tasks.items():
            try:
                learners.append(self._opening.learner(number, task))
            except (BlobError, TrainerError) as error:
                failed[number] = TrainerError(str(error))
        return learners, failed

    def _save(self, learner: Learner, own: Mapping[str, Tensor], loss: float) -> tuple[Trained | TrainerError, float]:
        """Write a client's update; what it did, and the seconds of writing."""
        trained, update = learner.trained(loss), learner.update(own)
        try:
            check_finite(self._spec, update, loss)
        except TrainerError as error:
            return error, 0.0
        start_s = time.monotonic()
        save_state(learner.task.update, update | dict(learner.control))
        return trained, time.monotonic() - start_s
