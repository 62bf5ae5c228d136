"""What comes before the first task: the Provision that is in place, and what its trainer is at. Pure."""

from __future__ import annotations

from typing import Literal

from agents.steps import AnyOrder, EndTrainer, FetchShaped, FillCache, PrepareTrainer
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
        self._stocked = False
        self._began_s = self._ship_s = 0.0
        self._deaths = 0

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
        """Have the trainer prepared."""
        if self.provision is None:
            return []
        self.trainer = "preparing"
        return [PrepareTrainer(self.provision)]

    def trainer_ready(self, at_s: float) -> None:
        """The trainer is prepared. Only the first time is part of what providing took."""
        self.trainer, self._deaths = "ready", 0
        if self.ready is None:
            provision_s = max(0.0, at_s - self._began_s - self._ship_s)
            self.ready = Ready(provision_s=provision_s, ship_s=self._ship_s)

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
