"""How a run goes from one phase to the next: the moves of the round machine, and the commands they give."""

from __future__ import annotations

from bisect import bisect_left, insort

from harness.rounds import reasons
from harness.rounds.clock import clock_for, shared_hosts
from harness.rounds.commands import (
    Abort,
    Aggregate,
    AnyCommand,
    AssignTask,
    Evaluate,
    Finish,
    ForgetClient,
    ForgetRound,
    SetDeadline,
    StartRun,
    WriteRound,
)
from harness.rounds.concluded import Concluded
from harness.rounds.events import DeadlineKind, Evaluated
from harness.rounds.phases import ClosedRound, round_record
from harness.rounds.round import Round
from harness.rounds.selection import training_line
from harness.rounds.state import RunState


class Transitions(RunState):
    """The moves. Which event leads to which of them stands in :class:`harness.rounds.machine.RoundMachine`."""

    def _start_run(self, at_s: float, warnings: tuple[str, ...]) -> list[AnyCommand]:
        """The agents that are here begin; the slowest of them says what shipping and provisioning took."""
        joined = self._agents.values()
        hosts = {agent.agent: agent.host for agent in joined}
        ship_s = max(agent.ship_s for agent in joined)
        self._clock = "critical path" if self._plan.virtual else clock_for(hosts, self._plan.chosen)
        self._init_s = self._svd_s + ship_s
        start = StartRun(
            clock=self._clock,
            svd_s=self._svd_s,
            ship_s=ship_s,
            provision_s=max(agent.provision_s for agent in joined),
            agents=self.agents,
            warnings=(*warnings, *shared_hosts(hosts)),
        )
        return [start, *self._open_round(at_s)]

    def _open_round(self, at_s: float) -> list[AnyCommand]:
        plan, number = self._plan, self.round + 1
        line = training_line(plan.cohort_seed, number, plan.clients, plan.clients_per_round, plan.chosen)
        self._current = Round(number, line, at_s, plan.clients_per_round)
        self._phase, self._extensions = "training", 0
        self._free = sorted(self._agents)
        return [self._deadline("round"), *self._go_on()]

    def _go_on(self) -> list[AnyCommand]:
        """Conclude a round that has nothing to wait for; else give every idle agent a client, or await agents."""
        if self._phase != "training":
            return []
        moot = self._open.spare_rest() if self._open.enough else []
        if self._open.settled:
            return [*moot, *self._conclude()]
        return self._assign() if self._agents else [self._deadline("agents")]

    def _assign(self) -> list[AnyCommand]:
        """The idle agents take what waits, by name; an agent that can have none of it stays idle."""
        orders: list[AnyCommand] = []
        for agent in tuple(self._free) if self._open.waiting else ():
            if not self._open.waiting:
                break
            client = self._open.next_for(agent, self._agents)
            if client is None:
                continue
            self._open.start(client, agent)
            self._take(agent)
            orders.append(
                AssignTask(
                    agent=agent,
                    round=self.round,
                    client=client,
                    attempt=self._open.attempts[client],
                    state_sha256=self._state_sha256,
                )
            )
        return orders

    def _release(self, agent: str | None) -> None:
        """An agent trains nothing any more: idle, if it is here."""
        if agent is not None and agent in self._agents:
            self._take(agent)  # it stands there once
            insort(self._free, agent)

    def _take(self, agent: str) -> None:
        """An agent is idle no more, or gone."""
        place = bisect_left(self._free, agent)
        if self._free[place : place + 1] == [agent]:
            del self._free[place]

    def _conclude(self) -> list[AnyCommand]:
        done, needed = len(self.completed), self._plan.needed
        if done < needed:
            why = reasons.too_many_failed(self.round, done, len(self.selected), needed, self.dropped)
            return [self._abort(why)]
        self._phase = "aggregating"
        return [self._aggregate()]

    def _go_beyond(self, at_s: float) -> list[AnyCommand]:
        """The open round's state is there, and no other is being evaluated: go on, or have it evaluated first.

        With overlap the next round opens while it is evaluated; what comes after the last one is its end alone.
        """
        if not self._plan.evaluates(self.round):
            return self._close_round(None, at_s)
        evaluate = self._evaluate(self._open)
        if not self._overlap or self.round == self._plan.rounds:
            return [evaluate]
        self._before = self._concluded()
        return [evaluate, *self._open_round(at_s)]

    def _close_round(self, evaluated: Evaluated | None, at_s: float) -> list[AnyCommand]:
        """Nothing is left to do for the open round: write it; the next one begins."""
        self._before = self._concluded()
        write = self._write(self._before, evaluated)
        if self.round == self._plan.rounds:
            self._phase = "finished"
            return [write, Finish()]
        return [write, *self._open_round(at_s)]

    def _concluded(self) -> Concluded:
        """The open round, with its state."""
        assert self._aggregated is not None
        return Concluded(self._open, self._aggregated, self._late.close())

    def _write(self, concluded: Concluded, evaluated: Evaluated | None) -> WriteRound:
        """Close a round: its wall seconds ended with the new state, evaluation is off the clock."""
        assert self._clock is not None
        round, aggregated = concluded.round, concluded.aggregated
        record = round_record(
            ClosedRound(
                round=round.number,
                clock=self._clock,
                elapsed_before_s=self._records[-1].elapsed_s if self._records else self._init_s,
                wall_s=aggregated.at_s - aggregated.aside_s - round.opened_at_s,
                selected=round.selected,
                clients=tuple(round.completed.values()),
                failed=round.failures(),
                spare=tuple(sorted(round.spare)),
                late=concluded.late,
                aggregated=aggregated,
                evaluated=evaluated,
            )
        )
        self._records.append(record)
        return WriteRound(record=record)

    def _go_back(self, before: Concluded) -> list[AnyCommand]:
        """The state that the open round trains from is lost, or what its evaluation needs: the round before is the open
        one again, and all that was trained since is forgotten. It comes again, the same."""
        orders: list[AnyCommand] = [
            ForgetClient(round=self.round, client=client) for client in sorted(self._open.completed)
        ]
        if self._beside is None:
            self._records.pop()
            orders.append(ForgetRound(round=before.number))
        self._current, self._before, self._extensions = before.round, None, 0
        self._aggregated = before.aggregated
        self._late.reopen(before.late)
        return orders

    def _abort(self, reason: str, *, no_agents: bool = False) -> Abort:
        self._phase = "aborted"
        return Abort(reason=reason, no_agents=no_agents)

    def _deadline(self, kind: DeadlineKind) -> SetDeadline:
        """A deadline that replaces the last one of its kind; numbered from 1 within a round."""
        last = self._deadlines.get(kind)
        number = last.number + 1 if last is not None and last.round == self.round else 1
        seconds = self._plan.join_timeout_s if kind == "agents" else self._plan.deadline_s
        self._deadlines[kind] = SetDeadline(kind=kind, round=self.round, number=number, seconds=seconds)
        return self._deadlines[kind]

    def _aggregate(self) -> Aggregate:
        return Aggregate(round=self.round, updates=self._open.updates())

    def _evaluate(self, round: Round) -> Evaluate:
        """Of the open round, or the one before it."""
        sha256 = self._state_sha256 if round is self._current else self.state_before_sha256
        return Evaluate(round=round.number, state_sha256=sha256, clients=tuple(sorted(round.completed)))

    @property
    def _open(self) -> Round:
        """The open round; to be asked for in a round alone."""
        assert self._current is not None
        return self._current
