"""What the agent does when: facts in, orders out. Pure; the shell (:mod:`agents.agent`) holds sockets, files, clock.

    joining -> provisioning -> idle -> fetching -> training -> sending -> idle

A connection that is lost costs none of it: the trainer works on, transfers pause, and what may have been lost with it
is said again. Where the controller does not know the session any more, or the run stops, or another Provision comes,
all that is under way is dropped, but for a finished update: it is offered at once if its task comes again. The trainer
is replaced whenever it fails or its task is dropped while it trains: half a training leaves nothing to build on.
"""

from __future__ import annotations

from typing import Literal, Union

from agents.kept import Kept
from agents.ledger import Ledger
from agents.preparation import Preparation
from agents.session import Session
from agents.steps import (
    AnyFact,
    AnyOrder,
    BaseCached,
    BlobLanded,
    ClocksCompared,
    Connected,
    ConnectionLost,
    End,
    LinkRefused,
    MessageArrived,
    Reconnect,
    ResumeTransfers,
    Send,
    StartHeart,
    TaskTrained,
    TrainerFailed,
    TrainerReady,
    TransferFailed,
    UpdateAcknowledged,
)
from agents.tasks import Phase, Tasks
from agents.words import clipped
from harness.protocol.messages import Cancel, Goodbye, Hello, Provision, Refused, Stop, Task, Welcome

Place = Literal["joining", "provisioning", "idle"]
Doing = Union[Place, Phase]


class AgentMachine:
    """The only place where the state of an agent changes. ``kept`` is what an earlier agent left finished."""

    def __init__(self, hello: Hello, *, once: bool, kept: Kept | None = None) -> None:
        self._once = once
        self._place: Place = "joining"
        self._session = Session(hello)
        self._preparation = Preparation()
        self._tasks = Tasks(self._session, self._preparation, kept)

    @property
    def doing(self) -> Doing:
        """What the agent does, as a word."""
        return self._tasks.phase or self._place

    @property
    def task(self) -> Ledger | None:
        """What is known of the task under way."""
        return self._tasks.ledger

    @property
    def trainer(self) -> str:
        """What the trainer is to be at: none, preparing, ready, training."""
        return self._preparation.trainer

    @property
    def welcomed(self) -> bool:
        """Whether the present connection stands."""
        return self._session.welcomed

    def handle(self, fact: AnyFact) -> list[AnyOrder]:
        """Take a fact, answer with orders, to be carried out in their order."""
        orders = self._handle(fact)
        if self.welcomed:
            return orders
        # Whatever else is to be said is said after the next Welcome: nobody hears it before.
        return [order for order in orders if not isinstance(order, Send) or isinstance(order.message, Hello | Goodbye)]

    def _handle(self, fact: AnyFact) -> list[AnyOrder]:
        match fact:
            case Connected():
                return [Send(self._session.hello(self._tasks.ref, fact.connection))]
            case ConnectionLost():
                return self._broke(fact.reason)
            case MessageArrived():
                return self._message(fact)
            case BaseCached():
                return self._preparation.base_cached()
            case BlobLanded() if self._place == "provisioning":
                return self._preparation.init_landed(fact.transfer.duration_s)
            case BlobLanded():
                return self._tasks.landed(fact)
            case TransferFailed() if self._place == "provisioning":
                return self._give_up(fact.reason)
            case TransferFailed():
                return self._tasks.fail(fact.reason)
            case TrainerReady():
                self._preparation.trainer_ready(fact.at_s)
                return [*self._ready(), *self._tasks.train(fact.at_s)]
            case TrainerFailed():
                return self._trainer_failed(fact)
            case TaskTrained():
                return self._tasks.trained(fact)
            case UpdateAcknowledged():
                return self._tasks.acknowledged(fact)
            case ClocksCompared():
                self._tasks.clocks.compared(fact.exchange)
                return []
            case LinkRefused():
                return self._give_up(fact.reason)

    def _message(self, fact: MessageArrived) -> list[AnyOrder]:
        match fact.message:
            case Welcome() as welcome:
                return self._welcome(welcome)
            case Provision() as provision:
                return self._provisioned(provision, fact.at_s)
            case Task() as task:
                return self._task(task, fact)
            case Cancel() as cancel:
                return self._tasks.cancel(cancel)
            case Stop() as stop:
                return self._stopped(stop.reason)
            case Refused() as refused:
                return [End(1, f"the controller refused this agent: {refused.reason}")]

    def _broke(self, reason: str, *, over: bool = False) -> list[AnyOrder]:
        """Connect again; what is under way stays under way."""
        if self._session.broke():
            self._tasks.broke()
        return [Reconnect(reason, over)]

    def _welcome(self, welcome: Welcome) -> list[AnyOrder]:
        if self.welcomed:
            return []  # it came before, over this connection
        same_run = welcome.run_id == self._session.run_id
        if self._session.goes_on(welcome):
            return [StartHeart(welcome), *self._say_again(), ResumeTransfers()]
        dropped = self._drop(unless_preparing=same_run)
        self._tasks.clocks.forget()
        if not same_run:
            dropped += self._preparation.unequip()
            self._preparation.forget()
        if welcome.resumed:
            return [*dropped, *self._broke("the controller has begun another run")]
        return [*dropped, StartHeart(welcome), ResumeTransfers()]

    def _say_again(self) -> list[AnyOrder]:
        """What may have been lost with the connection. The offer is said again as transfers are resumed."""
        if self.doing in ("joining", "provisioning"):
            return []
        said = (self._preparation.ready, self._session.last_word)
        return [Send(message) for message in said if message is not None]

    def _stopped(self, reason: str) -> list[AnyOrder]:
        if self._once:
            return [End(0, reason)]
        dropped = [*self._drop(), *self._preparation.unequip()]
        self._session.void()
        self._preparation.forget()
        return [*dropped, *self._broke(reason, over=True)]

    def _drop(self, *, unless_preparing: bool = False) -> list[AnyOrder]:
        """Forget what is under way, and a trainer that is in the middle of something."""
        self._place = "joining"
        return [*self._tasks.drop(), *self._preparation.end_trainer(unless_preparing=unless_preparing)]

    def _provisioned(self, provision: Provision, at_s: float) -> list[AnyOrder]:
        if self._session.provisioned and provision == self._preparation.provision:
            return self._say_again()
        self._session.provisioned = True
        dropped = [] if self._preparation.holds(provision) else self._drop()
        self._place = "provisioning"
        equipped = self._preparation.equip(provision)
        return [*dropped, *equipped, *self._preparation.begin(provision, at_s), *self._ready()]

    def _ready(self) -> list[AnyOrder]:
        """Ready, once all is in place."""
        ready = self._preparation.ready
        if self._place != "provisioning" or self._preparation.trainer != "ready" or ready is None:
            return []
        self._place = "idle"
        return [Send(ready)]

    def _task(self, task: Task, fact: MessageArrived) -> list[AnyOrder]:
        if task.ref == self._tasks.ref:
            return []  # it came before
        if task.ref == self._session.ended:
            return self._say_again()
        if self.doing != "idle":
            return self._tasks.refuse(task, f"the agent was {self.doing} when the task came")
        return self._tasks.begin(task, fact)

    def _trainer_failed(self, fact: TrainerFailed) -> list[AnyOrder]:
        was, self._preparation.trainer = self._preparation.trainer, "none"
        if was == "training":
            return [*self._tasks.fail(fact.reason), *self._preparation.prepare()]
        if was == "preparing" and (not fact.died or self._preparation.died()):
            return self._give_up(f"the trainer could not be prepared: {fact.reason}")
        return self._preparation.prepare()

    def _give_up(self, reason: str) -> list[AnyOrder]:
        """What no later task would cure."""
        return [Send(Goodbye(agent=self._session.agent, reason=clipped(reason))), End(1, reason)]
