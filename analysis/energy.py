"""What a run's devices and its server spent, as far as it was measured: joules up to a round, and why there are none.

Nothing here is guessed: a sum exists where each of its parts was measured. What devices take while idle is part of what
they spend in their tasks; it is given beside that and never taken from it. Pure.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from analysis import units
from analysis.load import Run
from harness.records import ClientRecord, RoundRecord

NO_SENSORS = "no sensors were read"
NO_POWER = "the sensors read no power"


@dataclass(frozen=True)
class Spent:
    """Joules of the rounds up to one; None: a part was not measured, and ``why`` says which.

    ``devices_j`` is that of the accepted updates, each from its task's arrival to its end. ``idle_j``, in it, is what
    the same devices take idle in these seconds. ``waiting_j``, not in it, is what they take idle in the rounds' other
    seconds: known where each agent has a device of its own. ``server_j`` is the controller's machine in these rounds.
    """

    devices_j: float | None
    idle_j: float | None
    waiting_j: float | None
    server_j: float | None
    why: str


def spent(run: Run, until_round: int | None = None) -> Spent:
    """What was spent in all rounds up to and with ``until_round``; in all of them without it."""
    rounds = [record for record in run.rounds if until_round is None or record.round <= until_round]
    numbers = {record.round for record in rounds}
    clients = [record for record in run.clients if record.round in numbers]
    devices_j = devices_joules(rounds)
    return Spent(
        devices_j=devices_j,
        idle_j=_idle_j(run, clients),
        waiting_j=_waiting_j(run, rounds, clients),
        server_j=whole(record.server.energy_j if record.server else None for record in rounds) if rounds else None,
        why="" if devices_j is not None else _why(run, clients),
    )


def devices_joules(rounds: Sequence[RoundRecord]) -> float | None:
    """The joules of these rounds' updates; None where one was not measured, or there is no round."""
    return whole(record.energy_j for record in rounds) if rounds else None


def whole(parts: Iterable[float | None]) -> float | None:
    """The sum of the parts; None where one of them is."""
    total = 0.0
    for part in parts:
        if part is None:
            return None
        total += part
    return total


def is_measured(run: Run) -> bool:
    """Whether any joule of the run was measured, of a device or of the server."""
    return any(client.energy_j is not None for client in run.clients) or any(
        record.energy_j is not None or (record.server is not None and record.server.energy_j is not None)
        for record in run.rounds
    )


def sources(run: Run) -> tuple[str, ...]:
    """What was read at the agents, each once."""
    return tuple(sorted({client.vitals.source for client in run.clients if client.vitals}))


def least_coverage(run: Run) -> float | None:
    """The least share of an update's time that was sampled; None where no sensors were read."""
    return min((client.vitals.coverage for client in run.clients if client.vitals), default=None)


def rails_j(run: Run) -> dict[str, float | None]:
    """Joules of each rail over all updates; None of a rail that some update misses."""
    rails = dict.fromkeys(rail for client in run.clients if client.vitals for rail in client.vitals.rails_j)
    return {
        rail: whole(client.vitals.rails_j.get(rail) if client.vitals else None for client in run.clients)
        for rail in rails
    }


def _idle_j(run: Run, clients: Sequence[ClientRecord]) -> float | None:
    """What the devices of these updates take idle in the updates' time; None where that of one is not known."""
    idle_w = run.idle_w
    if not clients or any(client.agent not in idle_w for client in clients):
        return None
    return sum(idle_w[client.agent] * client.total_s for client in clients)


def _waiting_j(run: Run, rounds: Sequence[RoundRecord], clients: Sequence[ClientRecord]) -> float | None:
    """What the agents' devices take idle while they have no task, in these rounds; None where that is not known.

    By the clock of the wall alone each agent has a device, and the round's seconds are its own.
    """
    idle_w = run.idle_w
    if run.header.clock != "wall" or not rounds or set(idle_w) < set(run.header.agents):
        return None
    wall_s = sum(record.wall_s for record in rounds)
    busy_s: defaultdict[str, float] = defaultdict(float)
    for client in clients:
        busy_s[client.agent] += client.total_s
    return sum(watts * max(0.0, wall_s - busy_s[agent]) for agent, watts in idle_w.items())


def _why(run: Run, clients: Sequence[ClientRecord]) -> str:
    """Why there is no sum: how many updates have no energy, and what their sensors said."""
    if run.experiment.virtual:
        return "a virtual fleet has no sensors"
    if not clients:
        return "no update is recorded"
    without = [client for client in clients if client.energy_j is None]
    if not without:
        return "the rounds' records hold none"
    reasons = Counter(reason for client in without for reason in _reasons(client))
    told = ", ".join(f"{reason} ({units.count(times)})" for reason, times in reasons.most_common())
    return f"{units.count(len(without))} of {units.counted(len(clients), 'update')}: {told}"


def _reasons(client: ClientRecord) -> tuple[str, ...]:
    """What of an update's sensors makes its energy null."""
    if client.vitals is None:
        return (NO_SENSORS,)
    return tuple(flag for flag in client.vitals.flags if flag != "throttled") or (NO_POWER,)
