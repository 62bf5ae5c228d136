"""What disturbed a run without stopping it: what was chosen beyond need, late, broken, repeated, slow; pure."""

from __future__ import annotations

from collections.abc import Iterator

from analysis import units
from analysis.caution import Caution, counted_reasons
from analysis.load import Run

UNCOUNTED = "the tables hold neither seconds nor bytes of the attempts before"
STANDSTILL_S = 1.0


def disturbances(label: str, run: Run) -> Iterator[Caution]:
    """A sentence for each kind; nothing of a run that went undisturbed."""
    for check in (_over_selection, _late, _repeated, _broken, _resumed, _unclaimed):
        yield from check(label, run)


def _over_selection(label: str, run: Run) -> Iterator[Caution]:
    rounds = run.experiment.rounds
    if not rounds.over_selection:
        return
    spare = sum(len(record.spare) for record in run.rounds)
    yield Caution(
        "over-selection",
        f"{label} chose {units.counted(rounds.chosen, 'client')} a round and took the first "
        f"{units.counted(rounds.clients_per_round, 'update')}: which clients count depends on who is fast. Of "
        f"{units.counted(spare, 'spare client')} the tables show neither seconds nor bytes.",
    )


def _late(label: str, run: Run) -> Iterator[Caution]:
    late = [each for record in run.rounds for each in record.late]
    if late:
        yield Caution(
            "late updates",
            f"{label}: {units.counted(len(late), 'update')} came late and {_were(len(late))} not aggregated: "
            f"{counted_reasons(each.why for each in late)}.",
        )


def _repeated(label: str, run: Run) -> Iterator[Caution]:
    repeated = sum(client.attempt > 1 for client in run.clients)
    if repeated:
        wall = run.header.clock == "wall"
        held = "the rounds' seconds hold the attempts before, the bytes do not" if wall else UNCOUNTED
        yield Caution(
            "repeated clients",
            f"{label}: {units.counted(repeated, 'client')} {_were(repeated)} trained again after an agent was lost or "
            f"a task failed; {held}.",
        )


def _broken(label: str, run: Run) -> Iterator[Caution]:
    broken = [client.breaks for client in run.clients if client.breaks]
    if broken:
        yield Caution(
            "broken connections",
            f"{label}: the connection broke {_times(sum(broken))} during {units.counted(len(broken), 'update')}, whose "
            "seconds hold the outages.",
        )


def _resumed(label: str, run: Run) -> Iterator[Caution]:
    resumed = sum(client.resumed_bytes > 0 for client in run.clients)
    if resumed:
        yield Caution(
            "resumed updates",
            f"{label}: {units.counted(resumed, 'update')} {_were(resumed)} resumed after a restart; what was moved "
            f"before it is missing from the seconds of {'its' if resumed == 1 else 'their'} transfers.",
        )


def _unclaimed(label: str, run: Run) -> Iterator[Caution]:
    idle_s = [client.other_s for client in run.clients if client.other_s > max(STANDSTILL_S, client.total_s / 2)]
    if idle_s:
        longest = units.time_unit(idle_s).text(max(idle_s))
        yield Caution(
            "standstill",
            f"{label}: {units.counted(len(idle_s), 'update')} stood still for most of the time, up to "
            f"{longest} (other): as while a link is down for a moment, or a trainer starts anew. The clock counts it.",
        )


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{units.count(count)} times"
