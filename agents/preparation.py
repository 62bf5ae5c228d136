"""What comes before the first task: the Provision that is in place, and what its trainer is at. Pure."""

from __future__ import annotations

from typing import Literal

from agents.steps import AnyOrder, EndTrainer, Equip, FetchShaped, FillCache, PrepareTrainer, Unequip
from harness.protocol.messages import BlobRef, Provision, Ready, Task

MAX_DEATHS = 3
"""A trainer that dies while it prepares is started so often in a row; then the agent gives up."""


class Preparation:
    """The Provision in place, or on its way there. The trainer is replaced by a new process whenever it fails.

    ``ready`` is what was measured once all was in place.
    """

    def __init__(self) -> None:
        self.provision: Provision | None = None
        self.ready: Ready | None = None
        self.trainer: Literal["none", "preparing", "ready", "training"] = "none"
        self._given: str | None = None
        self._given_before: str | None = None
        self._stocked = False
        self._began_s = self._ship_s = 0.0
        self._deaths = 0
        self._equipped = False

    def shard(self, task: Task) -> BlobRef | None:
        """The data of a task's client."""
        name = str(task.ref.client)
        shards = () if self.provision is None else self.provision.shards
        return next((shard for shard in shards if shard.name == name), None)

    def holds(self, provision: Provision) -> bool:
        """Whether all that an equal Provision named is here already, its trainer aside."""
        return self._stocked and provision == self.provision

    def begin(self, provision: Provision, at_s: float) -> list[AnyOrder]:
        """Get a Provision in place; of one that is, only the trainer may be missing."""
        if self.holds(provision):
            return self.prepare() if self.trainer == "none" else []
        self.forget()
        self.provision, self._began_s, self._ship_s = provision, at_s, 0.0
        return [FillCache((*provision.base, *provision.shards))]

    def equip(self, provision: Provision) -> list[AnyOrder]:
        """Have sensors and the uplink as a Provision wants them. One that is the same as before may still be of another
        controller, at another address.
        """
        if not (provision.telemetry_hz > 0 or provision.link.shaping == "kernel"):
            return self.unequip()
        self._equipped = True
        return [Equip(provision)]

    def unequip(self) -> list[AnyOrder]:
        """The run is over."""
        if not self._equipped:
            return []
        self._equipped = False
        return [Unequip()]

    def base_cached(self) -> list[AnyOrder]:
        """What is fetched once is in the cache; the initial state is fetched each time, and timed."""
        if self.provision is None:
            return []
        if self.provision.init is not None:
            return [FetchShaped(self.provision.init, self.provision, None)]
        return self.init_landed(0.0)

    def init_landed(self, ship_s: float) -> list[AnyOrder]:
        """The initial state is here, after ``ship_s`` on its way."""
        self._ship_s, self._stocked = ship_s, True
        return self.prepare()

    def prepare(self) -> list[AnyOrder]:
        """Have the trainer prepared: its model is built anew, and holds nothing of what it was given before.

        One that dies while files are still on their way waits for them.
        """
        if self.provision is None or not self._stocked:
            return []
        self.trainer, self._given, self._given_before = "preparing", None, None
        return [PrepareTrainer(self.provision)]

    def trainer_ready(self, at_s: float) -> None:
        """The trainer is prepared. Only the first time is part of what providing took."""
        self.trainer, self._deaths = "ready", 0
        if self.ready is None:
            provision_s = max(0.0, at_s - self._began_s - self._ship_s)
            self.ready = Ready(provision_s=provision_s, ship_s=self._ship_s)

    def blob(self, task: Task) -> BlobRef:
        """What a task has to fetch: less than its state, where the trainer was last given what that builds on.

        Another client of the same round builds on what the first one did: the trainer holds that, too.
        """
        held = (self._given, self._given_before if task.state.sha256 == self._given else None)
        enough = task.lean is not None and task.lean.since in held
        return task.lean.blob if task.lean is not None and enough else task.state

    def train(self, task: Task) -> None:
        """The trainer, which is ready, is given the whole state of a task, by whichever blob."""
        self.trainer = "training"
        if task.state.sha256 != self._given:
            self._given, self._given_before = task.state.sha256, self._given

    def died(self) -> bool:
        """The trainer died while it was prepared; returns whether that was once too often."""
        self._deaths += 1
        return self._deaths == MAX_DEATHS

    def end_trainer(self, *, unless_preparing: bool = False) -> list[AnyOrder]:
        """End a trainer that is in the middle of something; one that is ready has its imports behind it and is kept."""
        if self.trainer in ("none", "ready") or (unless_preparing and self.trainer == "preparing"):
            return []
        self.trainer = "none"
        return [EndTrainer()]

    def forget(self) -> None:
        """The Provision is of no use any more."""
        self.provision = self.ready = None
        self._stocked, self._deaths = False, 0
