"""What disturbed a run without stopping it: over-selection, late updates, broken connections, restarts; pure."""

from __future__ import annotations

from collections.abc import Iterator

from analysis import units
from analysis.caution import Caution, counted_reasons
from analysis.load import Run


def disturbances(label: str, run: Run) -> Iterator[Caution]:
    """A sentence for each kind; nothing of a run that went undisturbed."""
    for check in (_over_selection, _late, _broken, _resumed):
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
            "before it is missing from the seconds of their transfers.",
        )


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{units.count(count)} times"
