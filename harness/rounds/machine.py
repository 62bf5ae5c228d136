"""The round machine: facts in, orders out. The only place where the state of a run changes.

The shell appends every event to ``events.jsonl`` before the machine sees it. The same events give the same commands,
so a new controller replays them and goes on. docs/rounds.md draws the phases.
"""

from __future__ import annotations

from harness.records import ClientRecord
from harness.rounds import reasons
from harness.rounds.commands import AnyCommand, Finish, ForgetClient, WriteClient
from harness.rounds.events import (
    AgentJoined,
    AgentLost,
    AgentReconnected,
    Aggregated,
    AnyEvent,
    ControllerResumed,
    DeadlinePassed,
    Evaluated,
    MessagesRefused,
    RunOpened,
    TaskFailed,
    UpdateLate,
    UpdateLost,
    UpdateReceived,
)
from harness.rounds.transitions import Transitions


class RoundMachine(Transitions):
    """One run, from RunOpened to Finish or Abort: what each event means, phase by phase."""

    def handle(self, event: AnyEvent) -> list[AnyCommand]:
        """Take a fact and answer with what is to be done, in this order.

        Nothing has an effect before RunOpened, nor after Finish or Abort, but for ControllerResumed: it finishes
        again, or takes up what was given up. What is found lost before that is lost of a run given up, too, and the
        evaluation that was under way beside the round in which it was given up still closes the round before.
        """
        if isinstance(event, RunOpened):
            return self._run_opened(event)
        if isinstance(event, UpdateLost):
            return self._update_lost(event)
        if isinstance(event, Evaluated):
            return self._state_evaluated(event)
        if not self.opened or (self.over and not isinstance(event, ControllerResumed)):
            return []
        match event:
            case ControllerResumed():
                return self._controller_resumed()
            case AgentJoined():
                return self._agent_joined(event)
            case AgentLost():
                return self._agent_lost(event.agent, event.reason)
            case UpdateReceived():
                return self._update_received(event)
            case UpdateLate():
                return self._update_late(event)
            case AgentReconnected() | MessagesRefused():
                return []  # they stand in the record; nothing of the run changes
            case TaskFailed():
                return self._task_failed(event)
            case DeadlinePassed():
                return self._deadline_passed(event)
            case Aggregated():
                return self._state_aggregated(event)

    def _run_opened(self, event: RunOpened) -> list[AnyCommand]:
        if self.opened:
            return []
        self._initial_state_sha256 = self._state_sha256 = event.state_sha256
        self._svd_s, self._overlap = event.svd_s, event.overlap
        return [self._deadline("agents")]

    def _controller_resumed(self) -> list[AnyCommand]:
        """No agent is known any more, so what ran waits again, and what is outstanding is ordered anew."""
        self._agents.clear()
        self._free.clear()
        self._somebody_came = False
        if self._current is not None:
            self._current.recall()
        if self._phase == "aborted":
            self._take_up()
        evaluate: list[AnyCommand] = [] if self._beside is None else [self._evaluate(self._beside.round)]
        match self._phase:
            case "gathering":
                return [self._deadline("agents")]
            case "training":
                return [*evaluate, self._deadline("agents"), self._deadline("round")]
            case "aggregating":
                return [*evaluate, self._aggregate()]
            case "evaluating":
                return evaluate or [self._evaluate(self._open)]
        return [Finish()]

    def _take_up(self) -> None:
        """A run that was given up goes on: its user mended what failed, so the open round starts its counts anew."""
        self._phase = "gathering"
        if self._current is not None:
            self._phase, self._extensions = "training", 0
            self._current.reprieve()

    def _agent_joined(self, event: AgentJoined) -> list[AnyCommand]:
        """An agent that joins in the middle of a run takes part at once."""
        self._somebody_came = True
        orders = self._agent_lost(event.agent, "it joined again")
        self._agents[event.agent] = event
        self._release(event.agent)
        if self._phase == "gathering" and len(self._agents) >= self._plan.agents:
            return self._start_run(event.at_s, ())
        return [*orders, *self._go_on()]

    def _agent_lost(self, agent: str, reason: str) -> list[AnyCommand]:
        if self._agents.pop(agent, None) is None or self._phase != "training":
            return []
        self._take(agent)
        client = self._open.task_of(agent)
        if client is not None:
            self._open.fail(client, f"agent lost: {reason}", self._plan.max_attempts, avoid=False)
        return self._go_on()

    def _update_received(self, event: UpdateReceived) -> list[AnyCommand]:
        """An update counts once, in its own round alone, whoever sent it and at whichever attempt."""
        record = event.record
        if self._phase != "training" or record.round != self.round or not self._open.awaits(record.client):
            return self._update_late(record)
        self._late.count(record)
        trainer = self._open.running.get(record.client)
        moot = self._open.accept(record)
        self._release(trainer)
        return [*moot, WriteClient(record=record), *self._go_on()]

    def _update_late(self, update: UpdateLate | ClientRecord) -> list[AnyCommand]:
        """Noted in the record of the open round, and nothing else."""
        if self._current is not None:
            self._late.note(update, self._current)
        return []

    def _update_lost(self, event: UpdateLost) -> list[AnyCommand]:
        """A resume found the file of an accepted update gone: its round goes back to training that client. The round
        is the open one, or the one before, whose state is gone too, or was being evaluated.

        It is told before ControllerResumed, which sets the deadlines; the agents of the old controller are gone.
        """
        if self._phase == "finished":
            return []
        orders: list[AnyCommand] = []
        before = self._before
        if before is not None and event.round == before.number and event.client in before.round.completed:
            orders = self._go_back(before)
        if event.round != self.round or event.client not in self.completed:
            return []
        self._agents.clear()
        self._free.clear()
        self._open.recall()
        self._open.lose(event.client)
        if self._aggregated is not None and self._aggregated.round == self.round:
            # What was since its state, evaluation and a next round's training, is in none of its wall seconds.
            self._open.opened_at_s += event.at_s - self._aggregated.at_s + self._aggregated.aside_s
        self._state_sha256, self._aggregated = self.state_before_sha256, None
        if self._phase != "aborted":
            self._phase = "training"
        return [ForgetClient(round=event.round, client=event.client), *orders]

    def _task_failed(self, event: TaskFailed) -> list[AnyCommand]:
        current = self._phase == "training" and event.round == self.round
        if not current or not self._open.runs(event.client, event.agent, event.attempt):
            return []
        self._open.fail(event.client, event.reason, self._plan.max_attempts, avoid=True)
        self._release(event.agent)
        return self._go_on()

    def _deadline_passed(self, event: DeadlinePassed) -> list[AnyCommand]:
        """Only the last deadline of its kind counts, and only where something is still waited for."""
        last = self._deadlines.get(event.kind)
        if last is None or (last.round, last.number) != (event.round, event.number):
            return []
        if event.kind == "agents":
            return self._nobody_else_comes(event.at_s)
        return self._time_is_up() if self._phase == "training" else []

    def _nobody_else_comes(self, at_s: float) -> list[AnyCommand]:
        """Without agents the run is given up. ``no_agents`` (exit code 3) is for a controller that nobody came to;
        where agents came and went the run has failed (exit code 1). Both can be resumed."""
        awaited, timeout_s = self._plan.agents, self._plan.join_timeout_s
        if self._phase == "gathering":
            if self._agents:
                return self._start_run(at_s, (reasons.fewer_agents(self.agents, awaited, timeout_s),))
            if self._somebody_came:
                return [self._abort(reasons.agents_left(timeout_s))]
            return [self._abort(reasons.no_agents(awaited, timeout_s), no_agents=True)]
        if self._phase == "training" and not self._agents:
            why = reasons.agents_gone(self.round, timeout_s)
            return [self._abort(why, no_agents=not self._somebody_came)]
        return []

    def _time_is_up(self) -> list[AnyCommand]:
        """Go on without the clients that are not there, wait once more, or give up."""
        plan, done = self._plan, len(self.completed)
        if done >= plan.needed:
            moot = self._open.drop_rest(reasons.deadline_passed(plan.deadline_s))
            return [*moot, *self._go_on()]
        if self._extensions < plan.max_extensions:
            self._extensions += 1
            return [self._deadline("round")]
        times = 1 + self._extensions
        why = reasons.too_late(self.round, done, len(self.selected), plan.needed, plan.deadline_s, times)
        return [self._abort(why)]

    def _state_aggregated(self, event: Aggregated) -> list[AnyCommand]:
        """The round's wall seconds end at ``at_s``. That stands still while no controller runs, so a resume in the
        middle of a round needs no correction; what its agents take to come back is the round's."""
        if self._phase != "aggregating" or event.round != self.round:
            return []
        self._aggregated, self._state_sha256, self._phase = event, event.state_sha256, "evaluating"
        return self._go_beyond(event.at_s) if self._beside is None else []

    def _state_evaluated(self, event: Evaluated) -> list[AnyCommand]:
        """Rounds are closed in their order: one that waits for this goes on now."""
        if self._beside is None:
            asked = self._phase == "evaluating" and event.round == self.round
            return self._close_round(event, event.at_s) if asked else []
        if event.round != self._beside.number:
            return []
        write = self._write(self._beside, event)
        return [write, *self._go_beyond(event.at_s)] if self._phase == "evaluating" else [write]
