"""The controller's shell: waits for facts, keeps them, lets the round machine decide, carries out its orders.

Everything that happens is appended to ``events.jsonl`` before the machine sees it, so that a killed controller goes on
from there. The shell itself decides nothing.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

import msgspec

from harness.clock import Clock
from harness.errands import Errands
from harness.errors import FederaBenchError, NoAgentsError
from harness.fleets import Fleet
from harness.fleets.beside import Beside
from harness.jobs import Learning, aggregating, evaluating
from harness.learning.aggregation.base import Update
from harness.learning.seeding import derived_seed
from harness.profiles import Experiment
from harness.records import Header
from harness.rounds import commands as c
from harness.rounds.events import Aggregated, AnyEvent, ControllerResumed, DeadlinePassed, RunOpened
from harness.rounds.machine import RoundMachine
from harness.store import RunFolder
from harness.vitals import Vitals

log = logging.getLogger(__name__)


class Observer(Protocol):
    """Who is told after every event; progress bars are one."""

    def saw(self, event: AnyEvent, machine: RoundMachine) -> None:
        """``event`` was handled; the machine shows where the run stands."""


def training_seed(seed: int, round: int, client: int) -> int:
    """The seed of one local training, from (seed, round, client) alone: it does not matter who trains, or when."""
    return derived_seed(f"training:{seed}:{round}:{client}", bits=32)


def started(header: Header, order: c.StartRun) -> Header:
    """The header of a run whose first round opens."""
    return msgspec.structs.replace(
        header,
        clock=order.clock,
        svd_s=order.svd_s,
        ship_s=order.ship_s,
        init_s=order.svd_s + order.ship_s,
        provision_s=order.provision_s,
        agents=order.agents,
        warnings=tuple(dict.fromkeys((*header.warnings, *order.warnings))),
    )


class Controller:
    """One run, from its first event or the last one recorded, to its end."""

    def __init__(
        self,
        folder: RunFolder,
        experiment: Experiment,
        machine: RoundMachine,
        fleet: Fleet,
        learning: Learning,
        observer: Observer,
        clock: Clock,
        beside: Beside | None = None,
    ) -> None:
        self._beside = beside or Beside()
        self._folder = folder
        self._experiment = experiment
        self._machine = machine
        self._fleet = fleet
        self._learning = learning
        self._observer = observer
        self._clock = clock
        self._states: Errands[AnyEvent] = Errands("states")
        self._evaluations: Errands[AnyEvent] = Errands("evaluations")
        self._deadlines: dict[str, tuple[float, c.SetDeadline]] = {}
        self._ended = False

    def run(self, svd_s: float, state_sha256: str, found: Sequence[AnyEvent] = (), *, overlap: bool = False) -> None:
        """Carry the run to its end: a new one from its initial state, else from where the replayed machine stands.

        ``found`` is what a resume found out before it: updates that are lost. ``overlap``: a new run's states are
        evaluated beside the next round; one that is resumed goes by what was said when it was opened.

        Raises:
            NoAgentsError: no agent came in time.
            FederaBenchError: the run failed; the reason stands in the header too.
        """
        at_s = self._clock.now_s()
        opened = RunOpened(at_s=at_s, svd_s=svd_s, state_sha256=state_sha256, overlap=overlap)
        try:
            for event in found:
                self._handle(event)
            self._handle(ControllerResumed(at_s=at_s) if self._machine.opened else opened)
            while not self._ended:
                for event in self._fleet.wait(self._patience_s(), [self._states.fd, self._evaluations.fd]):
                    self._handle(event)
                for errands in (self._states, self._evaluations):
                    for event in errands.results():
                        self._handle(self._dated(event))
                for event in self._passed_deadlines():
                    self._handle(event)
                self._beside.tend()
        finally:
            self._evaluations.close()
            self._states.close()

    def _dated(self, event: AnyEvent) -> AnyEvent:
        """What an errand brought, with the time it counts as."""
        if isinstance(event, Aggregated):
            spent_s, aside_s = self._clock.spend(event.aggregate_s), self._clock.aside(event.aside_s)
            event = msgspec.structs.replace(event, aggregate_s=spent_s, aside_s=aside_s)
            event = msgspec.structs.replace(event, server=self._server_vitals())
        return msgspec.structs.replace(event, at_s=self._clock.now_s())

    def _server_vitals(self) -> Vitals | None:
        """What the controller's own sensors told since the round was opened; its wall seconds end now."""
        opened_s = self._machine.round_opened_s
        return None if opened_s is None else self._beside.server(opened_s, self._clock.now_s())

    def _handle(self, event: AnyEvent) -> None:
        self._folder.append_event(event)
        orders = self._machine.handle(event)
        for order in orders:
            self._carry_out(order)
        self._observer.saw(event, self._machine)

    def _carry_out(self, order: c.AnyCommand) -> None:
        match order:
            case c.SetDeadline():
                self._deadlines[order.kind] = (self._clock.now_s() + order.seconds, order)
            case c.StartRun():
                self._start(order)
            case c.AssignTask():
                self._assign(order)
            case c.CancelTask():
                self._fleet.cancel(order)
            case c.Aggregate():
                self._states.send(self._aggregating(order))
                self._states.send(partial(self._folder.secure, order.round))
            case c.Evaluate():
                self._evaluations.send(self._evaluating(order))
            case c.WriteClient():
                self._folder.append_client(order.record)
            case c.ForgetClient():
                self._folder.forget_client(order.round, order.client)
            case c.WriteRound():
                self._folder.append_round(order.record)
                self._states.send(partial(self._let_go_of, order.record.round))
            case c.ForgetRound():
                self._folder.forget_round(order.round)
            case c.Finish():
                self._finish()
            case c.Abort():
                self._give_up(order.reason)
                raise (NoAgentsError if order.no_agents else FederaBenchError)(order.reason)

    def _start(self, order: c.StartRun) -> None:
        self._folder.write_header(started(self._folder.read_header(), order))

    def _assign(self, order: c.AssignTask) -> None:
        self._fleet.assign(
            order,
            self._learning.outgoing(order.round, order.client),
            seed=training_seed(self._experiment.seeds.training, order.round, order.client),
            update=self._folder.update(order.round, order.client),
        )

    def _aggregating(self, order: c.Aggregate) -> Callable[[], AnyEvent]:
        updates = [
            Update(one.client, self._folder.update(order.round, one.client), one.samples) for one in order.updates
        ]
        # No resume goes back to the last round once its state is told of.
        last = order.round == self._experiment.rounds.count
        secure = partial(self._folder.secure, order.round) if last else None
        return aggregating(self._learning, order.round, updates, self._experiment.record.drift, secure)

    def _evaluating(self, order: c.Evaluate) -> Callable[[], AnyEvent]:
        checkpoint = self._evaluations.checkpoint
        return evaluating(self._learning, order.round, order.clients, lambda _: checkpoint())

    def _let_go_of(self, round: int) -> None:
        """Remove what a closed round leaves: its state, secured by the errand before this one, and the events that tell
        of it are on the disk then."""
        self._folder.sync_events()
        self._folder.prune(round)

    def _finish(self) -> None:
        """The results are there. What stands beside them is written before the run is called done: until then it can
        be resumed, should the disk take no more of it."""
        self._ended = True
        self._fleet.close("the run is done")
        self._states.finish()
        self._beside.conclude()
        self._folder.drop_outgoing()
        self._folder.sync_derived()
        self._folder.mark("done", None)
        self._beside.forget()

    def _give_up(self, reason: str) -> None:
        self._ended = True
        self._folder.mark("failed", reason)
        self._fleet.close(reason)
        try:
            for event in self._evaluations.finish():  # of the round before
                self._handle(self._dated(event))
            self._states.finish()
            self._beside.conclude()
        except FederaBenchError as error:  # it was given up for another reason, which is to be told
            log.warning("%s", error)

    def _patience_s(self) -> float:
        due = [at_s - self._clock.now_s() for at_s, _ in self._deadlines.values()]
        return max(0.0, min(due, default=math.inf))

    def _passed_deadlines(self) -> list[AnyEvent]:
        now_s = self._clock.now_s()
        passed = [order for at_s, order in self._deadlines.values() if at_s <= now_s]
        for order in passed:
            del self._deadlines[order.kind]
        return [DeadlinePassed(at_s=now_s, kind=o.kind, round=o.round, number=o.number) for o in passed]
