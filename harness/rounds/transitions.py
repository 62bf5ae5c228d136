"""How a run goes from one phase to the next: the moves of the round machine, and the commands they give."""

from __future__ import annotations

from harness.rounds import reasons
from harness.rounds.clock import clock_for, shared_hosts
from harness.rounds.commands import (
    Abort,
    Aggregate,
    AnyCommand,
    AssignTask,
    Evaluate,
    Finish,
    SetDeadline,
    StartRun,
    WriteRound,
)
from harness.rounds.events import Aggregated, DeadlineKind, Evaluated
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
        plan, number = self._plan, len(self._records) + 1
        line = training_line(plan.cohort_seed, number, plan.clients, plan.clients_per_round, plan.chosen)
        self._current = Round(number, line, at_s, plan.clients_per_round)
        self._phase, self._extensions = "training", 0
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
        orders: list[AnyCommand] = []
        for agent in self.idle:
            client = self._open.next_for(agent, self.agents)
            if client is None:
                continue
            self._open.start(client, agent)
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

    def _conclude(self) -> list[AnyCommand]:
        done, needed = len(self.completed), self._plan.needed
        if done < needed:
            why = reasons.too_many_failed(self.round, done, len(self.selected), needed, self.dropped)
            return [self._abort(why)]
        self._phase = "aggregating"
        return [self._aggregate()]

    def _close_round(self, aggregated: Aggregated, evaluated: Evaluated | None) -> list[AnyCommand]:
        """The round's wall seconds end with the new state: evaluation is off the clock."""
        assert self._clock is not None
        record = round_record(
            ClosedRound(
                round=self.round,
                clock=self._clock,
                elapsed_before_s=self._records[-1].elapsed_s if self._records else self._init_s,
                wall_s=aggregated.at_s - self._open.opened_at_s,
                selected=self.selected,
                clients=tuple(self._open.completed.values()),
                failed=self.dropped,
                spare=self.spare,
                late=self._late.close(),
                aggregated=aggregated,
                evaluated=evaluated,
            )
        )
        self._records.append(record)
        if self.round == self._plan.rounds:
            self._phase = "finished"
            return [WriteRound(record=record), Finish()]
        return [WriteRound(record=record), *self._open_round((evaluated or aggregated).at_s)]

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

    def _evaluate(self) -> Evaluate:
        return Evaluate(round=self.round, state_sha256=self._state_sha256)

    @property
    def _open(self) -> Round:
        """The open round; to be asked for in a round alone."""
        assert self._current is not None
        return self._current
