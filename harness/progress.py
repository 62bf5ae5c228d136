"""What a person sees while a run goes on: a bar of rounds, the metric, and an honest remaining time."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from harness.profiles import Experiment
from harness.remaining import remaining_s, spoken
from harness.rounds.events import (
    AgentJoined,
    AgentLost,
    AnyEvent,
    DeadlinePassed,
    Evaluated,
    TaskFailed,
    UpdateLate,
    UpdateLost,
)
from harness.rounds.machine import RoundMachine
from harness.rounds.plan import RunPlan


class ProgressScreen:
    """Rounds as a bar on a terminal; on anything else one line for each evaluated round."""

    def __init__(self, console: Console, experiment: Experiment, method: str) -> None:
        self._console = console
        self._plan = RunPlan.of(experiment, method)
        self._metric_name = experiment.target.metric
        self._title = method
        self._live = console.is_terminal
        self._laps_s: list[float] = []
        self._lap_from_s: float | None = None
        self._closed = 0
        self._phase = "gathering"
        self._bar = Progress(
            TextColumn("{task.description}", style="bold", markup=False),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[clients]}"),
            TextColumn("{task.fields[metric]}", style="cyan", markup=False),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=console,
            disable=not self._live,
        )
        self._task = self._bar.add_task(method, total=self._plan.rounds, clients="preparing", metric="", left="")

    def __enter__(self) -> ProgressScreen:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def say(self, line: str) -> None:
        """One step of the preparation."""
        self._say(line, "dim")

    def saw(self, event: AnyEvent, machine: RoundMachine) -> None:
        """Show where the run stands after an event."""
        if isinstance(event, AgentJoined):
            if not self._plan.virtual:
                here, wanted = len(machine.agents), self._plan.agents
                self.say(f"{event.agent} is ready ({here} of {wanted})" if here <= wanted else f"{event.agent} joined")
        elif isinstance(event, AgentLost):
            self._say(f"{event.agent} was lost: {event.reason}", "yellow")
        elif isinstance(event, TaskFailed):
            self._say(f"client {event.client} failed on {event.agent}: {event.reason}", "yellow")
        elif isinstance(event, DeadlinePassed):
            self._deadline(event, machine)
        elif isinstance(event, UpdateLost):
            self._say(f"client {event.client} is trained again: {event.reason}", "yellow")
        elif isinstance(event, UpdateLate):
            self._say(f"{event.agent} has an update of client {event.client} that came too late", "dim")
        self._phase = machine.phase
        self._count_laps(machine)
        self._draw(machine, event)

    def _deadline(self, event: DeadlinePassed, machine: RoundMachine) -> None:
        """A round's deadline, where the round was still waiting for its clients."""
        if event.kind != "round" or self._phase != "training" or event.round != machine.round:
            return
        here = f"{len(machine.completed)} of {self._plan.clients_per_round} clients"
        if machine.phase == "training":
            self._say(
                f"the deadline of round {event.round} passed with {here}, which is no quorum; waiting on", "yellow"
            )
        elif machine.phase == "aggregating":
            self._say(f"the deadline of round {event.round} passed; going on with {here}", "yellow")

    def _say(self, line: str, style: str) -> None:
        """A line as it is: what agents and paths say may look like markup."""
        self._bar.console.print(line, style=style, markup=False, highlight=False, soft_wrap=True)

    def _count_laps(self, machine: RoundMachine) -> None:
        now_s = time.monotonic()
        closed = len(machine.records)
        if self._lap_from_s is None and machine.running and not machine.completed:
            self._lap_from_s, self._closed = now_s, closed
        if self._lap_from_s is not None and closed > self._closed:
            self._laps_s.append((now_s - self._lap_from_s) / (closed - self._closed))
            self._lap_from_s, self._closed = now_s, closed

    def _draw(self, machine: RoundMachine, event: AnyEvent) -> None:
        done = len(machine.records)
        open_s = 0.0 if self._lap_from_s is None else time.monotonic() - self._lap_from_s
        left_s = remaining_s(self._laps_s, self._plan.rounds - done, open_s)
        left = "" if machine.over else f"{spoken(left_s)} left"
        metric = self._metric(machine)
        self._bar.update(
            self._task,
            completed=done,
            clients=self.doing(machine),
            metric=metric,
            left=left,
        )
        if isinstance(event, Evaluated) and not self._live:
            # The last record, or the one before it where the next round waited for this to be closed.
            for record in (each for each in machine.records[-2:] if each.round == event.round):
                parts = [f"{self._title} round {record.round}/{self._plan.rounds}", metric]
                parts += [f"{record.elapsed_s:.1f} s", left and f"({left})"]
                self._console.print("  ".join(filter(None, parts)), markup=False, highlight=False, soft_wrap=True)

    def doing(self, machine: RoundMachine) -> str:
        """What is under way, in the few words that the bar has room for."""
        if machine.phase in ("aggregating", "evaluating"):
            return machine.phase
        if machine.phase == "gathering" or (machine.phase == "training" and not machine.agents):
            return f"agents {len(machine.agents)}/{self._plan.agents}"
        wanted = self._plan.clients_per_round
        return f"clients {len(machine.completed)}/{wanted}" if machine.selected else ""

    def _metric(self, machine: RoundMachine) -> str:
        name = self._metric_name
        values = (record.metrics[name] for record in reversed(machine.records) if name in record.metrics)
        newest = next(values, None)
        return "" if newest is None else f"{name} {newest:.3f}"
