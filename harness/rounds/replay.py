"""From the facts that were recorded to the machine that knows them."""

from __future__ import annotations

from collections.abc import Iterable

from harness.records import ClientRecord, RoundRecord
from harness.rounds.commands import AnyCommand, ForgetClient, ForgetRound, WriteClient, WriteRound
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


def written(commands: Iterable[AnyCommand]) -> tuple[list[ClientRecord], list[RoundRecord]]:
    """The lines of ``clients.jsonl`` and ``rounds.jsonl`` that ``commands`` led to; what was forgotten has none."""
    clients: dict[tuple[int, int], ClientRecord] = {}
    rounds: list[RoundRecord] = []
    for command in commands:
        if isinstance(command, WriteClient):
            clients[command.record.round, command.record.client] = command.record
        elif isinstance(command, ForgetClient):
            del clients[command.round, command.client]
        elif isinstance(command, WriteRound):
            rounds.append(command.record)
        elif isinstance(command, ForgetRound):
            rounds = [record for record in rounds if record.round != command.round]
    return list(clients.values()), rounds
