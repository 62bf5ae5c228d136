"""A fleet that is only simulated, for the real round machine: seeded arrivals, links, stragglers, failures, losses.

A discrete-event simulation: what is to come lies in a heap by its time, and virtual time goes from one to the next.
Pure: the same plan, weather and seed give the same events. Nothing here costs a share of the fleet's size for an event.
"""

from __future__ import annotations

import heapq

from perf.weather import Fate, Weather, arrival_s, fate_of, has_slow_link

from harness.rounds import commands as c
from harness.rounds import events as e
from harness.rounds.plan import RunPlan

AGGREGATE_S_PER_UPDATE = 0.004
EVALUATE_S = 5.0
REJOIN_S = 5.0
"""After a lost controller all agents are back within so much."""
INITIAL = f"{0:064x}"


def plan_of(agents: int, rounds: int, seed: int = 0) -> RunPlan:
    """Rounds of as many clients as there are agents, of twice as many, and one in twenty more than is needed."""
    return RunPlan(
        rounds=rounds,
        clients=2 * agents,
        clients_per_round=agents,
        over_selection=agents // 20,
        cohort_seed=seed,
        deadline_s=300.0,
        quorum=0.9,
        max_extensions=2,
        max_attempts=3,
        agents=max(1, agents * 95 // 100),
        join_timeout_s=600.0,
        evaluate_every=1,
        evaluated=True,
    )


class SimulatedFleet:
    """The world around one round machine: :meth:`next_event` happens to it, its orders go to :meth:`carry_out`."""

    def __init__(self, plan: RunPlan, agents: int, weather: Weather, seed: int) -> None:
        self._weather, self._seed = weather, seed
        self.now_s = 0.0
        self._count = 0
        self._coming: list[tuple[float, int, e.AnyEvent, c.AssignTask | None]] = []
        self._tasks: dict[str, c.AssignTask] = {}
        self._done_s: dict[str, float] = {}
        """When the agent will have begun to send its update: from then on a cancelled one is offered all the same."""
        self._deadlines: dict[str, c.SetDeadline] = {}
        self._here: set[str] = set()
        self._slow: dict[str, bool] = {}
        self.over = False
        self._push(0.0, e.RunOpened(at_s=0.0, svd_s=2.5, state_sha256=INITIAL))
        for name in (f"agent-{number}" for number in range(1, agents + 1)):
            self._slow[name] = has_slow_link(weather, seed, name)
            self._join(name, arrival_s(weather, seed, name))

    def next_event(self) -> e.AnyEvent | None:
        """What happens next; None when the run is over. What became pointless meanwhile is passed over."""
        while self._coming and not self.over:
            self.now_s, _, event, task = heapq.heappop(self._coming)
            if task is None:
                if self._counts(event):
                    return event
            elif self._tasks.get(task.agent) is task:
                return self._of_task(event, task)
        return None

    def carry_out(self, orders: list[c.AnyCommand]) -> None:
        """Do what the machine orders; what comes of it will be events."""
        for order in orders:
            match order:
                case c.AssignTask():
                    self._assign(order)
                case c.CancelTask():
                    self._cancel(order)
                case c.SetDeadline():
                    self._deadlines[order.kind] = order
                    passed_s, kind = self.now_s + order.seconds, order.kind
                    passed = e.DeadlinePassed(at_s=passed_s, kind=kind, round=order.round, number=order.number)
                    self._push(passed_s, passed)
                case c.Aggregate():
                    self._aggregate(order)
                case c.Evaluate():
                    self._evaluate(order)
                case c.Finish() | c.Abort():
                    self.over = True

    def lose_controller(self) -> e.ControllerResumed:
        """The controller is gone with all it had under way; its successor begins with this; the agents come back."""
        self._tasks.clear()
        self._deadlines.clear()
        self._coming = [one for one in self._coming if isinstance(one[2], e.AgentJoined)]
        heapq.heapify(self._coming)
        for number, name in enumerate(sorted(self._here)):
            self._join(name, self.now_s + REJOIN_S * (number + 1) / len(self._here))
        self._here.clear()
        return e.ControllerResumed(at_s=self.now_s)

    def _push(self, at_s: float, event: e.AnyEvent, task: c.AssignTask | None = None) -> None:
        self._count += 1
        heapq.heappush(self._coming, (at_s, self._count, event, task))

    def _counts(self, event: e.AnyEvent) -> bool:
        """Whether something that is of no task still happens: a deadline may have been replaced."""
        if isinstance(event, e.AgentJoined):
            self._here.add(event.agent)
        if not isinstance(event, e.DeadlinePassed):
            return True
        last = self._deadlines.get(event.kind)
        return last is not None and (last.round, last.number) == (event.round, event.number)

    def _of_task(self, event: e.AnyEvent, task: c.AssignTask) -> e.AnyEvent:
        """Something happens to a task that is under way; but for a broken connection it ends with it."""
        if not isinstance(event, e.AgentReconnected):
            del self._tasks[task.agent]
        if isinstance(event, e.AgentLost):
            self._here.discard(task.agent)
        return event

    def _join(self, agent: str, at_s: float) -> None:
        ship_s = 19.2 if self._slow[agent] else 1.5
        self._push(at_s, e.AgentJoined(at_s=at_s, agent=agent, host=f"host-of-{agent}", provision_s=0.0, ship_s=ship_s))

    def _assign(self, task: c.AssignTask) -> None:
        fate = fate_of(self._weather, self._seed, task, self._slow[task.agent], self.now_s)
        self._tasks[task.agent] = task
        self._done_s[task.agent] = self.now_s + fate.total_s - fate.record.upload_s
        if fate.lost_s is not None:
            self._lose(task, fate, self.now_s + fate.lost_s)
        elif fate.fails_s is not None:
            self._fail(task, self.now_s + fate.fails_s)
        else:
            if fate.breaks_s is not None:
                breaks_s = self.now_s + fate.breaks_s
                self._push(breaks_s, e.AgentReconnected(at_s=breaks_s, agent=task.agent), task)
            ends_s = self.now_s + fate.total_s
            self._push(ends_s, e.UpdateReceived(at_s=ends_s, record=fate.record), task)

    def _fail(self, task: c.AssignTask, at_s: float) -> None:
        failed = e.TaskFailed(
            at_s=at_s,
            round=task.round,
            client=task.client,
            agent=task.agent,
            attempt=task.attempt,
            reason="out of memory (oom)",
        )
        self._push(at_s, failed, task)

    def _lose(self, task: c.AssignTask, fate: Fate, lost_s: float) -> None:
        """An agent goes, and comes back; what it trained meanwhile it may offer then."""
        self._push(lost_s, e.AgentLost(at_s=lost_s, agent=task.agent, reason="no heartbeat for 8 s"), task)
        back_s = self.now_s + fate.back_s
        self._join(task.agent, back_s)
        if fate.offers:
            self._offer(task, back_s)

    def _offer(self, task: c.AssignTask, at_s: float) -> None:
        late = e.UpdateLate(at_s=at_s, round=task.round, client=task.client, agent=task.agent, attempt=task.attempt)
        self._push(at_s, late)

    def _cancel(self, order: c.CancelTask) -> None:
        """An agent stops; one that sends already offers its update before it hears of that."""
        task = self._tasks.pop(order.agent, None)
        if task is not None and self._done_s[order.agent] <= self.now_s:
            self._offer(task, self.now_s)

    def _aggregate(self, order: c.Aggregate) -> None:
        seconds = AGGREGATE_S_PER_UPDATE * len(order.updates)
        at_s = self.now_s + seconds
        state_sha256 = f"{order.round:064x}"
        self._push(at_s, e.Aggregated(at_s=at_s, round=order.round, state_sha256=state_sha256, aggregate_s=seconds))

    def _evaluate(self, order: c.Evaluate) -> None:
        at_s = self.now_s + EVALUATE_S
        metrics = {"f1": 1 - 0.9**order.round}
        self._push(at_s, e.Evaluated(at_s=at_s, round=order.round, metrics=metrics, evaluate_s=EVALUATE_S))
