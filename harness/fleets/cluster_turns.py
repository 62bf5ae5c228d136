"""Which trainer of a cluster gets which works, and how often works are tried. Pure: facts in, turns out."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.fleets.workforce import Work

MOST_TRIES = 3


@dataclass(frozen=True)
class Group:
    """Works that go to one trainer together, and how often they were begun before."""

    works: tuple[Work, ...]
    tries: int = 0


class Turns:
    """Groups that wait, in their order; trainers by number, each on a node, that are free or train a group.

    A group whose trainer is lost goes before the others to the next one that is free; one that cost three trainers
    is given up, and its clients fail.
    """

    def __init__(self) -> None:
        self._waiting: deque[Group] = deque()
        self._free: dict[int, str] = {}
        self._training: dict[int, tuple[str, Group]] = {}

    @property
    def works(self) -> Iterator[Work]:
        """All works that are not ended."""
        groups = [*self._waiting, *(group for _, group in self._training.values())]
        return (work for group in groups for work in group.works)

    def send(self, works: Sequence[Work]) -> None:
        """A group that waits from now on."""
        self._waiting.append(Group(tuple(works)))

    def joined(self, trainer: int, node: str) -> None:
        """A new trainer is free."""
        self._free[trainer] = node

    def next(self) -> tuple[int, Group] | None:
        """The next group and who trains it: where most are free, so that works spread evenly over the nodes.

        None where no group waits, or nobody is free.
        """
        if not self._waiting or not self._free:
            return None
        free = Counter(self._free.values())
        trainer = min(self._free, key=lambda one: (-free[self._free[one]], one))
        group = self._waiting.popleft()
        self._training[trainer] = (self._free.pop(trainer), group)
        return trainer, group

    def group(self, trainer: int) -> Group:
        """What a trainer trains."""
        return self._training[trainer][1]

    def ended(self, trainer: int) -> Group:
        """A trainer's group ended, and it is free."""
        node, group = self._training.pop(trainer)
        self._free[trainer] = node
        return group

    def lost(self, trainer: int, *, counts: bool = True) -> tuple[Work, ...]:
        """A trainer is gone, in the middle of a group or not; the works that are given up for it.

        Where it does not count (a file of its node was at fault) the group is as often tried as before.
        """
        self._free.pop(trainer, None)
        _, group = self._training.pop(trainer, ("", None))
        if group is None:
            return ()
        tries = group.tries + counts
        if tries == MOST_TRIES:
            return group.works
        self._waiting.appendleft(Group(group.works, tries))
        return ()

    def clear(self) -> None:
        """Nothing is wanted any more."""
        self._waiting.clear()


def spread(room: Mapping[str, int], wanted: int) -> dict[str, int]:
    """``wanted`` trainers at most over nodes that have room for so many, as evenly as there is room; by node."""
    seats = dict.fromkeys(room, 0)
    for _ in range(min(wanted, sum(room.values()))):
        node = min((node for node in room if seats[node] < room[node]), key=lambda node: seats[node])
        seats[node] += 1
    return seats
