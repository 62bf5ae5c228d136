"""Facts and orders of the agent: what :class:`agents.lifecycle.AgentMachine` takes and gives. Pure.

Facts carry ``at_s``, the agent's monotonic clock.
"""

from __future__ import annotations

from typing import Union

import msgspec

from agents.frames import TrainedFrame
from agents.kept import Kept, Transfer
from agents.offset import Exchange
from harness.protocol.messages import (
    BlobRef,
    Cancel,
    Message,
    Offer,
    Provision,
    Refused,
    Stop,
    Task,
    TaskRef,
    Welcome,
)
from harness.vitals import Vitals


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """Base of every fact."""

    at_s: float


class Connected(Fact, frozen=True, kw_only=True):
    """A new socket is open, the ``connection``-th of this agent; the controller may or may not be there."""

    connection: int = 1


class ConnectionLost(Fact, frozen=True, kw_only=True):
    """The connection broke, or the controller was silent for too long."""

    reason: str


class MessageArrived(Fact, frozen=True, kw_only=True):
    """A message of the choreography came (transfers have their own). ``wire_bytes``: of the line, both ways."""

    message: Welcome | Provision | Task | Cancel | Stop | Refused
    wire_bytes: int


class BaseCached(Fact, frozen=True, kw_only=True):
    """All blobs of the Provision that are fetched once are in the cache."""


class BlobLanded(Fact, frozen=True, kw_only=True):
    """The blob that was fetched over the shaped link is here."""

    transfer: Transfer


class TransferFailed(Fact, frozen=True, kw_only=True):
    """What was under way was given up."""

    reason: str


class TrainerReady(Fact, frozen=True, kw_only=True):
    """The trainer process built its model."""


class TrainerFailed(Fact, frozen=True, kw_only=True):
    """The trainer process ``died``, or an exception ended its order; either way it is gone now."""

    reason: str
    died: bool


class TaskTrained(Fact, frozen=True, kw_only=True):
    """The update is in a file. ``wire_bytes``: of the line, both ways."""

    trained: TrainedFrame
    wire_bytes: int


class UpdateAcknowledged(Fact, frozen=True, kw_only=True):
    """The controller has the whole update. ``wire_bytes``: of the line, both ways; ``vitals``: of the task so far."""

    transfer: Transfer
    wire_bytes: int
    vitals: Vitals | None = None


class ClocksCompared(Fact, frozen=True, kw_only=True):
    """A heartbeat was answered, and tells how the agent's clock and the run's are apart."""

    exchange: Exchange


class LinkRefused(Fact, frozen=True, kw_only=True):
    """The uplink cannot be shaped as the Provision says."""

    reason: str


class Send(msgspec.Struct, frozen=True):
    """Send a message."""

    message: Message


class StartHeart(msgspec.Struct, frozen=True):
    """Send heartbeats as Welcome says."""

    welcome: Welcome


class Equip(msgspec.Struct, frozen=True):
    """Have the device looked at, its sensors read, its uplink shaped as the Provision says, and what an earlier one
    had given back; answer LinkRefused where the link cannot be.
    """

    provision: Provision


class Unequip(msgspec.Struct, frozen=True):
    """Give all of that back; nothing is answered."""


class FillCache(msgspec.Struct, frozen=True):
    """Have these blobs in the cache; answer BaseCached."""

    blobs: tuple[BlobRef, ...]


class FetchShaped(msgspec.Struct, frozen=True):
    """Fetch a blob over the shaped link, even if it is here; answer BlobLanded. ``task``: None for the initial state.

    What a broken try left of a task's blob is taken up, and counted apart.
    """

    blob: BlobRef
    provision: Provision
    task: TaskRef | None


class PrepareTrainer(msgspec.Struct, frozen=True):
    """Have the Provision's model built by the trainer process, a new one if none is up; answer TrainerReady."""

    provision: Provision


class EndTrainer(msgspec.Struct, frozen=True):
    """Kill the trainer process; nothing is answered."""


class StartTraining(msgspec.Struct, frozen=True):
    """Give the task to the trainer, its state, or what makes it, has landed; answer TaskTrained."""

    task: Task
    shard: BlobRef


class OfferUpdate(msgspec.Struct, frozen=True):
    """Send the offer, then the update as the controller asks for it; answer UpdateAcknowledged."""

    offer: Offer
    provision: Provision


class KeepUpdate(msgspec.Struct, frozen=True):
    """Have the finished update outlive this agent."""

    kept: Kept


class ClearTask(msgspec.Struct, frozen=True):
    """Remove the files of the last task: its update, kept or not, and its state, whole or in part."""


class DropTransfers(msgspec.Struct, frozen=True):
    """Forget every transfer that is under way; what came in part stays in its file."""


class ResumeTransfers(msgspec.Struct, frozen=True):
    """A connection stands: go on with the download where it was, offer the update again. Reconnect paused them."""


class Reconnect(msgspec.Struct, frozen=True):
    """Pause the transfers and open a new socket; answer Connected. ``over``: the run is, the next one may be far."""

    reason: str
    over: bool = False


class End(msgspec.Struct, frozen=True):
    """The agent ends."""

    exit_code: int
    reason: str


AnyFact = Union[
    Connected,
    ConnectionLost,
    MessageArrived,
    BaseCached,
    BlobLanded,
    TransferFailed,
    TrainerReady,
    TrainerFailed,
    TaskTrained,
    UpdateAcknowledged,
    ClocksCompared,
    LinkRefused,
]
AnyOrder = Union[
    Send,
    StartHeart,
    Equip,
    Unequip,
    FillCache,
    FetchShaped,
    PrepareTrainer,
    EndTrainer,
    StartTraining,
    OfferUpdate,
    KeepUpdate,
    ClearTask,
    DropTransfers,
    ResumeTransfers,
    Reconnect,
    End,
]
