"""Where each client of one round stands: waiting, running, completed, dropped or spare; never in two places."""

from __future__ import annotations

from collections.abc import Collection

from harness.records import ClientRecord, Failure
from harness.rounds.commands import CancelTask, UpdateRef


class Round:
    """One round's clients. An agent that runs none of them is idle: this is the only place that knows.

    ``line`` are the chosen clients in the order in which they are trained; as soon as ``wanted`` of them are completed
    (all, by default) the others are spare.
    """

    def __init__(self, number: int, line: tuple[int, ...], opened_at_s: float, wanted: int | None = None) -> None:
        self.number = number
        self.selected = tuple(sorted(line))
        self.opened_at_s = opened_at_s
        self.wanted = len(line) if wanted is None else wanted
        self.waiting = list(line)
        """In the order in which they will be trained."""
        self.running: dict[int, str] = {}
        """The agent that trains a client."""
        self.completed: dict[int, ClientRecord] = {}
        """In the order of acceptance."""
        self.dropped: dict[int, Failure] = {}
        self.spare: set[int] = set()
        """Chosen beyond need, and not waited for."""
        self.attempts = dict.fromkeys(line, 1)
        """The number of a client's present or next attempt, from 1."""
        self._line = line
        self._trains: dict[str, int] = {}
        """``running`` the other way round: nobody looks through a large fleet for one agent."""
        self._failed_on: dict[int, set[str]] = {client: set() for client in line}

    @property
    def settled(self) -> bool:
        """Whether no client is left to wait for."""
        return not self.waiting and not self.running

    @property
    def enough(self) -> bool:
        """Whether all updates that the round wants are there."""
        return len(self.completed) >= self.wanted

    def task_of(self, agent: str) -> int | None:
        """The client that an agent trains."""
        return self._trains.get(agent)

    def runs(self, client: int, agent: str, attempt: int) -> bool:
        """Whether this very task is under way."""
        return self.running.get(client) == agent and self.attempts[client] == attempt

    def next_for(self, agent: str, present: Collection[str]) -> int | None:
        """The client an idle agent is to train: the first that has not failed on it, or has failed on all present."""
        for client in self.waiting:
            failed_on = self._failed_on[client]
            if agent not in failed_on or (len(failed_on) >= len(present) and failed_on.issuperset(present)):
                return client
        return None

    def start(self, client: int, agent: str) -> None:
        """An agent is told to train a waiting client."""
        self.waiting.remove(client)
        self.running[client], self._trains[agent] = agent, client

    def awaits(self, client: int) -> bool:
        """Whether an update of the client would be accepted."""
        return client in self.running or client in self.waiting  # a list is looked through last

    def accept(self, record: ClientRecord) -> list[CancelTask]:
        """Take the update of an awaited client, whoever trained it; another agent that still trains it may stop."""
        client = record.client
        if client in self.running:
            moot = [] if self.runs(client, record.agent, record.attempt) else [self._cancel(client)]
            self._stop(client)
        else:
            self.waiting.remove(client)
            moot = []
        self.completed[client] = record
        return moot

    def fail(self, client: int, reason: str, max_attempts: int, *, avoid: bool) -> None:
        """A running client's attempt came to nothing: it is the next to be tried again, or dropped.

        ``avoid`` keeps it from the agent it failed on, as long as there is another.
        """
        agent = self._stop(client)
        if self.attempts[client] >= max_attempts:
            self.dropped[client] = Failure(client=client, agent=agent, reason=reason)
            return
        self.attempts[client] += 1
        self.waiting.insert(0, client)
        if avoid:
            self._failed_on[client].add(agent)

    def drop_rest(self, reason: str) -> list[CancelTask]:
        """Go on without the clients that are not there; orders to stop those that run."""
        agents = dict(self.running)
        left, moot = self._let_go()
        for client in left:
            self.dropped[client] = Failure(client=client, agent=agents.get(client, ""), reason=reason)
        return moot

    def spare_rest(self) -> list[CancelTask]:
        """Enough are completed, so nobody waits for the others; they have not failed. Orders to stop those that run."""
        left, moot = self._let_go()
        self.spare.update(left)
        return moot

    def lose(self, client: int) -> None:
        """A completed client's update is gone: it is the first to be trained again, and as the same attempt."""
        del self.completed[client]
        self.waiting.insert(0, client)

    def recall(self) -> None:
        """The controller is a new one: what ran waits again, first in line, and it counts as the same attempt."""
        self.waiting = [*self._in_line(self.running), *self.waiting]
        self.running.clear()
        self._trains.clear()

    def reprieve(self) -> None:
        """The round was given up and is taken up again: dropped clients wait again, and all as if never tried."""
        self.waiting += self._in_line(self.dropped)
        self.dropped.clear()
        for client in self.waiting:
            self.attempts[client] = 1
            self._failed_on[client].clear()

    def updates(self) -> tuple[UpdateRef, ...]:
        """What to aggregate, in client order: the order of arrival leaves no trace in the sum."""
        records = [self.completed[client] for client in sorted(self.completed)]
        return tuple(UpdateRef(client=r.client, sha256=r.update_sha256, samples=r.samples) for r in records)

    def failures(self) -> tuple[Failure, ...]:
        """The dropped clients, in client order."""
        return tuple(self.dropped[client] for client in sorted(self.dropped))

    def validate(self) -> None:
        """Raise AssertionError where a client is nowhere, in two places, or not of this round."""
        places = [*self.waiting, *self.running, *self.completed, *self.dropped, *self.spare]
        assert sorted(places) == list(self.selected), f"round {self.number}: {self.selected} stand as {places}"
        busy = list(self.running.values())
        assert len(busy) == len(set(busy)), f"round {self.number}: an agent trains two clients: {self.running}"
        assert {agent: client for client, agent in self.running.items()} == self._trains
        assert len(self.completed) <= self.wanted, f"round {self.number}: more updates than {self.wanted} were taken"
        for client, record in self.completed.items():
            assert (record.round, record.client) == (self.number, client), f"a foreign update: {record}"

    def _let_go(self) -> tuple[list[int], list[CancelTask]]:
        """The clients that are not completed, which from now on nobody waits for, and orders to stop those that run."""
        left = sorted((*self.waiting, *self.running))
        moot = [self._cancel(client) for client in sorted(self.running)]
        self.waiting.clear()
        self.running.clear()
        self._trains.clear()
        return left, moot

    def _stop(self, client: int) -> str:
        """A running client is not running any more; the agent that trained it."""
        agent = self.running.pop(client)
        del self._trains[agent]
        return agent

    def _in_line(self, clients: Collection[int]) -> list[int]:
        """Some of the round's clients, in the order of their line."""
        return [client for client in self._line if client in clients]

    def _cancel(self, client: int) -> CancelTask:
        return CancelTask(agent=self.running[client], round=self.number, client=client, attempt=self.attempts[client])
