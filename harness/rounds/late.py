"""Updates that came when nobody waited for them any more: each is noted once, with the reason."""

from __future__ import annotations

from harness.records import ClientRecord, Late
from harness.rounds import reasons
from harness.rounds.events import UpdateLate
from harness.rounds.round import Round

Task = tuple[int, int, str, int]
"""Round, client, agent and attempt: one task, of which one update may come."""


class LateBook:
    """What a run knows of its updates: those that counted, and those that came too late."""

    def __init__(self) -> None:
        self._known: set[Task] = set()
        self._noted: list[Late] = []

    @property
    def noted(self) -> tuple[Late, ...]:
        """The late updates of the open round, in the order in which they came."""
        return tuple(self._noted)

    def count(self, record: ClientRecord) -> None:
        """An update was accepted: when it comes again it is a repetition, and is not noted."""
        self._known.add((record.round, record.client, record.agent, record.attempt))

    def note(self, update: UpdateLate | ClientRecord, current: Round) -> None:
        """An update was not accepted. It is noted in the open round, once for each task, with the reason."""
        task = (update.round, update.client, update.agent, update.attempt)
        if task in self._known:
            return
        self._known.add(task)
        round, client, agent, attempt = task
        why = why_late(current, round, client, agent)
        self._noted.append(Late(round=round, client=client, agent=agent, attempt=attempt, why=why))

    def close(self) -> tuple[Late, ...]:
        """The round's state is there: its late updates; those of the next one begin anew."""
        noted, self._noted = tuple(self._noted), []
        return noted

    def reopen(self, noted: tuple[Late, ...]) -> None:
        """The round before is the open one again: what it had ``noted`` is noted in it still, and what came since."""
        self._noted = [*noted, *self._noted]


def why_late(current: Round, round: int, client: int, agent: str) -> str:
    """Why an update of ``client`` in ``round`` by ``agent`` was not aggregated, in words, while ``current`` is open."""
    if round < current.number:
        return reasons.ROUND_CLOSED
    if round > current.number or client not in current.attempts:
        return reasons.NOT_ASKED_FOR
    if client in current.completed:
        return reasons.another_counted(current.completed[client], agent)
    if client in current.dropped:
        return reasons.client_dropped(current.dropped[client])
    if client in current.spare:
        return reasons.ENOUGH_OTHERS
    return reasons.given_away(agent, current.running.get(client))
