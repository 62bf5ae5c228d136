"""What a virtual run that goes on finds its devices with: the states that they hold, and who has done its part."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from harness.learning.outgoing import Outgoing
from harness.rounds.commands import AnyCommand, AssignTask, CancelTask, WriteClient
from harness.rounds.events import AnyEvent, TaskFailed

Counted = Mapping[str, tuple[int, int]]
"""By device: round and client of its last update, where that counted and nothing made the device begin anew since."""


@dataclass(frozen=True)
class Left:
    """``held``: by device, the hash of the whole state that it holds; ``done``: who has trained in the open round."""

    held: Mapping[str, str] = field(default_factory=dict)
    done: frozenset[str] = frozenset()


def counted(events: Iterable[AnyEvent], orders: Iterable[AnyCommand]) -> Counted:
    """The last updates, of all that happened and of what was ordered then: who was stopped, or failed, has none."""
    failed = {(e.agent, e.round, e.client, e.attempt) for e in events if isinstance(e, TaskFailed)}
    found: dict[str, tuple[int, int]] = {}
    for order in orders:
        if isinstance(order, WriteClient):
            found[order.record.agent] = order.record.round, order.record.client
        elif isinstance(order, CancelTask) or (isinstance(order, AssignTask) and _task(order) in failed):
            found.pop(order.agent, None)
    return found


def left_by(
    updates: Counted, round: int, outgoing: Callable[[int, int], Outgoing], rank_of: Callable[[int], int]
) -> Left:
    """What ``updates`` left to the devices for ``round``, in which the run goes on.

    ``outgoing`` tells what a client is given in a round. A hash is that of the file, which need not be a checkpoint.
    Files of earlier rounds are gone; but what smaller ones of this round build on is what was given in the round
    before, at the same rank. What is older serves nobody.

    Raises:
        BlobError: the checkpoint before ``round`` is not one.
        OSError: a file could not be written.
    """
    done = {agent: client for agent, (of, client) in updates.items() if of == round}
    before = {agent: rank_of(client) for agent, (of, client) in updates.items() if of == round - 1}
    clients = {rank_of(client): client for of, client in updates.values() if of == round - 1}
    leans = {rank: outgoing(round, client).lean for rank, client in clients.items()}
    held = {agent: lean.since for agent, rank in before.items() if (lean := leans[rank]) is not None}
    held |= {agent: outgoing(round, client).sha256 for agent, client in done.items()}
    return Left(held, frozenset(done))


def _task(order: AssignTask) -> tuple[str, int, int, int]:
    return order.agent, order.round, order.client, order.attempt
