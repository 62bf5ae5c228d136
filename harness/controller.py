"""The controller's shell: waits for facts, keeps them, lets the round machine decide, carries out its orders.

Everything that happens is appended to ``events.jsonl`` before the machine sees it, so that a killed controller goes on
from there. The shell itself decides nothing.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from harness.clock import Clock
from harness.errands import Errands
from harness.errors import FederaBenchError, NoAgentsError
from harness.fleets import Fleet
from harness.learning.seeding import derived_seed
from harness.profiles import Experiment
from harness.records import Drift, Header
from harness.rounds import commands as c
from harness.rounds.events import Aggregated, AnyEvent, ControllerResumed, DeadlinePassed, Evaluated, RunOpened
from harness.rounds.machine import RoundMachine
from harness.store import RunFolder


class Learning(Protocol):
    """What the controller asks of the learning side, between rounds."""

    def aggregate(self, updates: list[tuple[Path, int]], out: Path) -> str:
        """Average the update files, weighted by samples, into ``out``; its SHA-256."""

    def drift(self, before: Path, after: Path) -> Drift | None:
        """How far the factors of two state files are apart, layer by layer; None where a method has none."""

    def evaluate(self, state: Path, progress: Callable[[float], None]) -> dict[str, float]:
        """Metrics of a state file; ``progress`` is told the fraction done, and may raise to end it."""


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
    ) -> None:
        self._folder = folder
        self._experiment = experiment
        self._machine = machine
        self._fleet = fleet
        self._learning = learning
        self._observer = observer
        self._clock = clock
        self._errands: Errands[AnyEvent] = Errands()
        self._deadlines: dict[str, tuple[float, c.SetDeadline]] = {}
        self._ended = False

    def run(self, svd_s: float, state_sha256: str, found: Sequence[AnyEvent] = ()) -> None:
        """Carry the run to its end: a new one from its initial state, else from where the replayed machine stands.

        ``found`` is what a resume found out before it: updates that are lost.

        Raises:
            NoAgentsError: no agent came in time.
            FederaBenchError: the run failed; the reason stands in the header too.
        """
        at_s = self._clock.now_s()
        opened = RunOpened(at_s=at_s, svd_s=svd_s, state_sha256=state_sha256)
        try:
            for event in found:
                self._handle(event)
            self._handle(ControllerResumed(at_s=at_s) if self._machine.opened else opened)
            while not self._ended:
                for event in self._fleet.wait(self._patience_s(), [self._errands.fd]):
                    self._handle(event)
                for event in self._errands.results():
                    self._handle(self._dated(event))
                for event in self._passed_deadlines():
                    self._handle(event)
        finally:
            self._errands.close()

    def _dated(self, event: AnyEvent) -> AnyEvent:
        """What an errand brought, with the time it counts as."""
        if isinstance(event, Aggregated):
            event = msgspec.structs.replace(event, aggregate_s=self._clock.spend(event.aggregate_s))
        return msgspec.structs.replace(event, at_s=self._clock.now_s())

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
                self._errands.send(self._aggregating(order))
            case c.Evaluate():
                self._errands.send(self._evaluating(order))
            case c.WriteClient():
                self._folder.append_client(order.record)
            case c.ForgetClient():
                self._folder.forget_client(order.round, order.client)
            case c.WriteRound():
                self._folder.sync_events()
                self._folder.append_round(order.record)
                self._folder.prune(order.record.round)
            case c.Finish():
                self._end("done", None)
            case c.Abort():
                self._end("failed", order.reason)
                raise (NoAgentsError if order.no_agents else FederaBenchError)(order.reason)

    def _start(self, order: c.StartRun) -> None:
        self._folder.write_header(started(self._folder.read_header(), order))

    def _assign(self, order: c.AssignTask) -> None:
        self._fleet.assign(
            order,
            state=self._folder.checkpoint(order.round - 1),
            seed=training_seed(self._experiment.seeds.training, order.round, order.client),
            update=self._folder.update(order.round, order.client),
        )

    def _aggregating(self, order: c.Aggregate) -> Callable[[], AnyEvent]:
        updates = [(self._folder.update(order.round, u.client), u.samples) for u in order.updates]
        before, out = self._folder.checkpoint(order.round - 1), self._folder.checkpoint(order.round)
        record_drift = self._experiment.record.drift

        def aggregate() -> AnyEvent:
            started_s = time.monotonic()
            sha256 = self._learning.aggregate(updates, out)
            spent_s = time.monotonic() - started_s
            drift = self._learning.drift(before, out) if record_drift else None
            return Aggregated(at_s=0.0, round=order.round, state_sha256=sha256, aggregate_s=spent_s, drift=drift)

        return aggregate

    def _evaluating(self, order: c.Evaluate) -> Callable[[], AnyEvent]:
        state = self._folder.checkpoint(order.round)

        def evaluate() -> AnyEvent:
            started_s = time.monotonic()
            metrics = self._learning.evaluate(state, lambda _: self._errands.checkpoint())
            spent_s = time.monotonic() - started_s
            return Evaluated(at_s=0.0, round=order.round, metrics=metrics, evaluate_s=spent_s)

        return evaluate

    def _end(self, state: Literal["done", "failed"], reason: str | None) -> None:
        self._ended = True
        self._folder.mark(state, reason)
        self._fleet.close(reason or "the run is done")

    def _patience_s(self) -> float:
        due = [at_s - self._clock.now_s() for at_s, _ in self._deadlines.values()]
        return max(0.0, min(due, default=math.inf))

    def _passed_deadlines(self) -> list[AnyEvent]:
        now_s = self._clock.now_s()
        passed = [order for at_s, order in self._deadlines.values() if at_s <= now_s]
        for order in passed:
            del self._deadlines[order.kind]
        return [DeadlinePassed(at_s=now_s, kind=o.kind, round=o.round, number=o.number) for o in passed]
