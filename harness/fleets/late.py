"""Updates of tasks that nobody waits for any more: each is told once. Pure."""

from __future__ import annotations

from collections.abc import Collection

from harness.protocol.messages import TaskRef

MOST_TOLD = 10_000
"""In one run: an agent that makes up tasks is not to fill the disk with them."""


class LateUpdates:
    """Which updates counted, and which late ones were told of. ``clients`` are those that there are."""

    def __init__(self, clients: Collection[str]) -> None:
        self._clients = frozenset(clients)
        self._counted: set[tuple[str, TaskRef]] = set()
        self._told: set[tuple[str, TaskRef]] = set()

    def count(self, agent: str, ref: TaskRef) -> None:
        """This agent's update of this task was received: it is not late, however often it is said again."""
        self._counted.add((agent, ref))

    def counted(self, agent: str, ref: TaskRef) -> bool:
        """Whether it was received."""
        return (agent, ref) in self._counted

    def is_news(self, agent: str, ref: TaskRef) -> bool:
        """Whether a late update is to be told of: not if it counted, was told before, or is of no task at all."""
        possible = str(ref.client) in self._clients and ref.round > 0 and ref.attempt > 0
        if not possible or self.counted(agent, ref) or (agent, ref) in self._told or len(self._told) >= MOST_TOLD:
            return False
        self._told.add((agent, ref))
        return True
