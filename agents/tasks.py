"""The task that is under way, from its arrival to the word that ends it: facts in, orders out. Pure.

    fetching -> training -> sending

A finished update is kept until the controller has it: a task of an equal key offers it at once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from agents.kept import Kept, TaskKey, key_of
from agents.ledger import Ledger
from agents.offset import Clocks
from agents.preparation import Preparation
from agents.session import Session
from agents.steps import (
    AnyOrder,
    BlobLanded,
    ClearTask,
    DropTransfers,
    FetchShaped,
    KeepUpdate,
    MessageArrived,
    OfferUpdate,
    Send,
    StartTraining,
    TaskTrained,
    UpdateAcknowledged,
)
from agents.words import clipped
from harness.protocol.messages import BlobRef, Cancel, Done, Failed, Offer, Provision, Report, Task, TaskRef

Phase = Literal["fetching", "training", "sending"]


class Tasks:
    """One task at a time, for a session, with what was prepared. ``kept`` is what an earlier agent left finished."""

    def __init__(self, session: Session, preparation: Preparation, kept: Kept | None) -> None:
        self._session, self._preparation, self._kept = session, preparation, kept
        self.ledger: Ledger | None = None
        self.phase: Phase | None = None
        self.clocks = Clocks()

    @property
    def ref(self) -> TaskRef | None:
        """Which task is under way."""
        return self.ledger.task.ref if self.ledger else None

    def broke(self) -> None:
        """The connection broke; the task goes on."""
        if self.ledger is not None:
            self.ledger = replace(self.ledger, breaks=self.ledger.breaks + 1)

    def begin(self, task: Task, arrived: MessageArrived) -> list[AnyOrder]:
        """A task for an idle agent."""
        provision, shard = self._preparation.provision, self._preparation.shard(task)
        if provision is None or shard is None:
            return self.refuse(task, f"the agent was given no shard of client {task.ref.client}")
        self._session.last_word = None
        self.ledger = Ledger(task, arrived.at_s, arrived.wire_bytes, self._preparation.blob(task))
        if self._kept is not None and self._kept.key == self._key(task, shard, provision):
            self.ledger = replace(self.ledger, before=self._kept)
            return self._offer(self.ledger, provision, arrived.at_s, arrived.wire_bytes)
        cleared = self._clear() if self._kept is not None else []
        return [*cleared, *self._fetch(self.ledger, provision, arrived.at_s)]

    def refuse(self, task: Task, reason: str) -> list[AnyOrder]:
        """A task that cannot be begun; one that is under way goes on."""
        return self._end_with(Failed(ref=task.ref, reason=reason))

    def landed(self, fact: BlobLanded) -> list[AnyOrder]:
        """The state is here, or what makes it of the one before."""
        if self.ledger is None:
            return []
        self.ledger = replace(self.ledger, download=fact.transfer, landed_s=fact.at_s)
        self.clocks.end("download", fact.at_s)
        return self.train(fact.at_s)

    def train(self, at_s: float) -> list[AnyOrder]:
        """Train once both are there: the state, and a trainer (after a failure it may come later).

        A trainer that replaced the one which the fetched blob was meant for needs the whole state.
        """
        ledger, provision = self.ledger, self._preparation.provision
        if ledger is None or ledger.download is None or self.phase != "fetching" or provision is None:
            return []
        if ledger.blob not in (ledger.task.state, self._preparation.blob(ledger.task)):
            self.ledger = replace(ledger, blob=ledger.task.state, download=None)
            return self._fetch(self.ledger, provision, at_s)
        shard = self._preparation.shard(ledger.task)
        if shard is None or self._preparation.trainer != "ready":
            return []
        self.phase = "training"
        self._preparation.train(ledger.task)
        return [StartTraining(ledger.task, shard)]

    def trained(self, fact: TaskTrained) -> list[AnyOrder]:
        """The update is there: keep it, and offer it."""
        self._preparation.trainer = "ready"
        if self.ledger is None or self._preparation.provision is None:
            return []
        provision, shard = self._preparation.provision, self._preparation.shard(self.ledger.task)
        if shard is None:
            return []
        self.ledger = replace(self.ledger, trained=fact.trained)
        key = self._key(self.ledger.task, shard, provision)
        self._kept = self.ledger.kept(key, fact.at_s, fact.wire_bytes)
        return [KeepUpdate(self._kept), *self._offer(self.ledger, provision, fact.at_s, fact.wire_bytes)]

    def acknowledged(self, fact: UpdateAcknowledged) -> list[AnyOrder]:
        """The controller has the whole update."""
        if self.ledger is None:
            return []
        self.clocks.end("upload", fact.at_s)
        ledger = replace(self.ledger, upload=fact.transfer)
        record = ledger.record(self._session.agent, fact.at_s, fact.wire_bytes, self.clocks, fact.vitals)
        self.ledger = self.phase = None
        self.clocks.drop()
        # The round waits for the word, and nobody for the files to go.
        return [*self._end_with(Done(ref=ledger.task.ref, record=record)), *self._clear()]

    def cancel(self, cancel: Cancel) -> list[AnyOrder]:
        """Stop this task, if it has not ended before the word came, and clear up after it."""
        if self.ref != cancel.ref:
            return []
        orders = [*self.drop(), *self._preparation.end_trainer(unless_preparing=True), *self._clear()]
        return [*orders, *self._preparation.prepare()] if self._preparation.trainer == "none" else orders

    def fail(self, reason: str) -> list[AnyOrder]:
        """The task ends without an update."""
        ref = self.ref
        if ref is None:
            return []
        return [*self.drop(), *self._clear(), *self._end_with(Failed(ref=ref, reason=clipped(reason)))]

    def drop(self) -> list[AnyOrder]:
        """Forget the task; a finished update stays kept, a state that came in part stays in its file."""
        self.ledger = self.phase = None
        self.clocks.drop()
        return [DropTransfers()]

    def _fetch(self, ledger: Ledger, provision: Provision, at_s: float) -> list[AnyOrder]:
        self.phase = "fetching"
        self.clocks.begin("download", at_s)
        return [FetchShaped(ledger.blob, provision, ledger.task.ref)]

    def _offer(self, ledger: Ledger, provision: Provision, at_s: float, wire_bytes: int) -> list[AnyOrder]:
        self.phase, ref = "sending", ledger.task.ref
        self.clocks.begin("upload", at_s)
        record = ledger.record(self._session.agent, at_s, wire_bytes, self.clocks)
        return [Send(Report(ref=ref, record=record)), OfferUpdate(Offer(ref=ref, blob=ledger.update), provision)]

    def _key(self, task: Task, shard: BlobRef, provision: Provision) -> TaskKey:
        return key_of(self._session.run_id, task, shard, provision)

    def _end_with(self, word: Done | Failed) -> list[AnyOrder]:
        return [Send(self._session.end_with(word))]

    def _clear(self) -> list[AnyOrder]:
        self._kept = None
        return [ClearTask()]
