"""What the agent does when: facts in, orders out. Pure; the shell (:mod:`agents.agent`) holds sockets, files, clock.

    joining -> provisioning -> idle -> fetching -> training -> sending -> idle

Whatever is under way is dropped when the connection is lost, a new Provision comes, or the run stops. The trainer is
replaced by a new process whenever it fails or its task is cancelled while it trains: half a training leaves nothing
that the next one may build on.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from agents.ledger import Ledger
from agents.steps import (
    AnyFact,
    AnyOrder,
    BaseCached,
    BlobLanded,
    Connected,
    ConnectionLost,
    DropTransfers,
    End,
    EndTrainer,
    FetchShaped,
    FillCache,
    MessageArrived,
    OfferUpdate,
    PrepareTrainer,
    Reconnect,
    Send,
    StartHeart,
    StartTraining,
    TaskTrained,
    TrainerFailed,
    TrainerReady,
    TransferFailed,
    UpdateAcknowledged,
)
from harness.protocol.messages import (
    BlobRef,
    Cancel,
    Done,
    Failed,
    Goodbye,
    Hello,
    Offer,
    Provision,
    Ready,
    Refused,
    Report,
    Stop,
    Task,
    Welcome,
)

MAX_PREPARATIONS = 3
"""A trainer that dies while it prepares is started so often in a row; then the agent gives up."""

Doing = Literal["joining", "provisioning", "idle", "fetching", "training", "sending"]


class AgentMachine:
    """The only place where the state of an agent changes."""

    def __init__(self, hello: Hello, *, once: bool) -> None:
        self._hello, self._once = hello, once
        self.doing: Doing = "joining"
        self._provision: Provision | None = None
        self._provision_began_s = 0.0
        self._ship_s = 0.0
        self._trainer: Literal["none", "preparing", "ready", "training"] = "none"
        self._preparations = 0
        self._ledger: Ledger | None = None

    def handle(self, fact: AnyFact) -> list[AnyOrder]:
        """Take a fact, answer with orders, to be carried out in their order."""
        match fact:
            case Connected():
                return [Send(self._hello)]
            case ConnectionLost():
                return self._left(fact.reason)
            case MessageArrived():
                return self._message(fact)
            case BaseCached():
                return self._base_cached()
            case BlobLanded():
                return self._landed(fact)
            case TransferFailed():
                return self._transfer_failed(fact.reason)
            case TrainerReady():
                return self._trainer_is_ready(fact.at_s)
            case TrainerFailed():
                return self._trainer_failed(fact)
            case TaskTrained():
                return self._trained(fact)
            case UpdateAcknowledged():
                return self._acknowledged(fact)

    def _message(self, fact: MessageArrived) -> list[AnyOrder]:
        match fact.message:
            case Welcome() as welcome:
                return [StartHeart(welcome)]
            case Provision() as provision:
                return self._provisioned(provision, fact.at_s)
            case Task() as task:
                return self._task(task, fact)
            case Cancel() as cancel:
                return self._cancel(cancel)
            case Stop() as stop:
                return [End(0, stop.reason)] if self._once else self._left(f"the run is over: {stop.reason}")
            case Refused() as refused:
                return [End(1, f"the controller refused this agent: {refused.reason}")]

    def _left(self, reason: str) -> list[AnyOrder]:
        """Back to the beginning. A trainer that is up is kept: it has what takes long, its imports, behind it."""
        orders = self._drop()
        self.doing, self._provision = "joining", None
        return [*orders, Reconnect(reason)]

    def _drop(self) -> list[AnyOrder]:
        """Forget what is under way, and a trainer that is in the middle of something."""
        self._ledger = None
        if self._trainer in ("none", "ready"):
            return [DropTransfers()]
        self._trainer = "none"
        return [DropTransfers(), EndTrainer()]

    def _provisioned(self, provision: Provision, at_s: float) -> list[AnyOrder]:
        orders = self._drop()
        self.doing, self._provision = "provisioning", provision
        self._provision_began_s, self._ship_s, self._preparations = at_s, 0.0, 0
        return [*orders, FillCache((*provision.base, *provision.shards))]

    def _base_cached(self) -> list[AnyOrder]:
        if self._provision is None:
            return []
        if self._provision.init is not None:
            return [FetchShaped(self._provision.init, self._provision, None)]
        return self._prepare()

    def _prepare(self) -> list[AnyOrder]:
        if self._provision is None:
            return []
        self._trainer = "preparing"
        return [PrepareTrainer(self._provision)]

    def _trainer_is_ready(self, at_s: float) -> list[AnyOrder]:
        self._trainer, self._preparations = "ready", 0
        if self.doing != "provisioning":
            return self._train()
        self.doing = "idle"
        provision_s = at_s - self._provision_began_s - self._ship_s
        return [Send(Ready(provision_s=max(0.0, provision_s), ship_s=self._ship_s))]

    def _task(self, task: Task, fact: MessageArrived) -> list[AnyOrder]:
        if self._provision is None or self.doing != "idle":
            return [Send(Failed(ref=task.ref, reason=f"the agent was {self.doing} when the task came"))]
        if self._shard(task) is None:
            return [Send(Failed(ref=task.ref, reason=f"the agent was given no shard of client {task.ref.client}"))]
        self.doing, self._ledger = "fetching", Ledger(task, fact.at_s, fact.wire_bytes)
        return [FetchShaped(task.state, self._provision, task.ref)]

    def _landed(self, fact: BlobLanded) -> list[AnyOrder]:
        if self.doing == "provisioning":
            self._ship_s = fact.transfer.duration_s
            return self._prepare()
        if self._ledger is None:
            return []
        self._ledger = replace(self._ledger, download=fact.transfer)
        return self._train()

    def _train(self) -> list[AnyOrder]:
        """Train once both are there: the state, and a trainer (after a failure it may come later)."""
        if self._ledger is None or self._ledger.download is None or self._trainer != "ready":
            return []
        shard = self._shard(self._ledger.task)
        if shard is None:
            return []
        self.doing = self._trainer = "training"
        return [StartTraining(self._ledger.task, shard)]

    def _trained(self, fact: TaskTrained) -> list[AnyOrder]:
        if self._ledger is None or self._provision is None:
            return []
        self.doing, self._trainer = "sending", "ready"
        self._ledger = replace(self._ledger, trained=fact.trained, update=fact.update)
        ref = self._ledger.task.ref
        record = self._ledger.record(self._hello.agent, fact.at_s, fact.wire_bytes)
        offer = Offer(ref=ref, blob=fact.update)
        return [Send(Report(ref=ref, record=record)), OfferUpdate(offer, self._provision)]

    def _acknowledged(self, fact: UpdateAcknowledged) -> list[AnyOrder]:
        if self._ledger is None:
            return []
        ledger = replace(self._ledger, upload=fact.transfer)
        self.doing, self._ledger = "idle", None
        record = ledger.record(self._hello.agent, fact.at_s, fact.wire_bytes)
        return [Send(Done(ref=ledger.task.ref, record=record))]

    def _cancel(self, cancel: Cancel) -> list[AnyOrder]:
        if self._ledger is None or self._ledger.task.ref != cancel.ref:
            return []  # it ended before the word came
        self.doing = "idle"
        orders = self._drop()
        return [*orders, *self._prepare()] if self._trainer == "none" else orders

    def _transfer_failed(self, reason: str) -> list[AnyOrder]:
        return self._give_up(reason) if self.doing == "provisioning" else self._fail(reason)

    def _trainer_failed(self, fact: TrainerFailed) -> list[AnyOrder]:
        was, self._trainer = self._trainer, "none"
        if was == "training":
            return [*self._fail(fact.reason), *self._prepare()]
        if was == "preparing":
            self._preparations += 1
            if not fact.died or self._preparations == MAX_PREPARATIONS:
                return self._give_up(f"the trainer could not be prepared: {fact.reason}")
        return self._prepare()

    def _fail(self, reason: str) -> list[AnyOrder]:
        if self._ledger is None:
            return []
        ref = self._ledger.task.ref
        self.doing, self._ledger = "idle", None
        return [DropTransfers(), Send(Failed(ref=ref, reason=reason))]

    def _give_up(self, reason: str) -> list[AnyOrder]:
        """What no later task would cure."""
        return [Send(Goodbye(agent=self._hello.agent, reason=reason)), End(1, reason)]

    def _shard(self, task: Task) -> BlobRef | None:
        name = str(task.ref.client)
        shards = () if self._provision is None else self._provision.shards
        return next((shard for shard in shards if shard.name == name), None)
