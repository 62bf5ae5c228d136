"""From the facts that were recorded to the machine that knows them."""

from __future__ import annotations

from collections.abc import Iterable

from harness.rounds.commands import AnyCommand
from harness.rounds.events import AnyEvent
from harness.rounds.machine import RoundMachine
from harness.rounds.plan import RunPlan


def replay(plan: RunPlan, events: Iterable[AnyEvent]) -> tuple[RoundMachine, list[AnyCommand]]:
    """A machine that has seen ``events``, and all commands it gave, in order.

    The commands were carried out before: none is to be carried out again. What was written at them (WriteClient,
    WriteRound, StartRun) can be written anew from here; what was under way is ordered again at ControllerResumed.
    """
    machine = RoundMachine(plan)
    commands = [command for event in events for command in machine.handle(event)]
    return machine, commands
