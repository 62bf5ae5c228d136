"""Whatever happens to a run, in whatever order: it keeps its books, and good luck brings it to its end."""

from __future__ import annotations

from copy import deepcopy

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from round_facts import Run, every, plan
from rounds_world import World

from harness.rounds import commands as c
from harness.rounds.plan import RunPlan

AGENTS = st.sampled_from("abcd")
NUMBERS = st.integers(0, 4)
CLIENTS = st.integers(0, 5)

PLANS = st.builds(
    plan,
    rounds=st.integers(1, 3),
    clients=st.just(6),
    clients_per_round=st.integers(1, 6),
    over_selection=st.integers(0, 2),
    quorum=st.sampled_from([0.1, 0.5, 1.0]),
    max_extensions=st.integers(0, 2),
    max_attempts=st.integers(1, 3),
    agents=st.integers(1, 3),
    evaluate_every=st.integers(1, 2),
    evaluated=st.booleans(),
).filter(lambda rules: rules.chosen <= rules.clients)


class Fate(RuleBasedStateMachine):
    """Deals out what may happen to a run; :class:`rounds_world.World` checks every answer."""

    world: World

    @initialize(plan=PLANS, opened=st.booleans(), overlap=st.booleans())
    def begin(self, plan: RunPlan, opened: bool, overlap: bool) -> None:
        self.world = World(plan, overlap)
        if opened:
            self.world.open()

    @rule()
    def it_is_opened(self) -> None:
        self.world.open()

    @rule(agent=AGENTS, host=st.sampled_from(["one", "two", "three"]))
    def an_agent_joins(self, agent: str, host: str) -> None:
        self.world.join(agent, host)

    @rule(agent=AGENTS)
    def an_agent_is_lost(self, agent: str) -> None:
        self.world.lose(agent)

    @precondition(lambda self: self.world.tasks)
    @rule(data=st.data())
    def a_task_is_done(self, data: st.DataObject) -> None:
        task = self.world.tasks[data.draw(st.sampled_from(sorted(self.world.tasks)))]
        self.world.receive(task.round, task.client, task.agent, task.attempt)

    @rule(number=NUMBERS, client=CLIENTS, agent=AGENTS, attempt=NUMBERS)
    def an_update_comes_late_or_twice_or_from_elsewhere(
        self, number: int, client: int, agent: str, attempt: int
    ) -> None:
        self.world.receive(number, client, agent, attempt)

    @rule(number=NUMBERS, client=CLIENTS, agent=AGENTS, attempt=NUMBERS)
    def an_agent_offers_what_nobody_waits_for(self, number: int, client: int, agent: str, attempt: int) -> None:
        self.world.come_late(number, client, agent, attempt)

    @precondition(lambda self: self.world.tasks)
    @rule(data=st.data())
    def a_task_fails(self, data: st.DataObject) -> None:
        task = self.world.tasks[data.draw(st.sampled_from(sorted(self.world.tasks)))]
        self.world.fail(task.round, task.client, task.agent, task.attempt)

    @rule(number=NUMBERS, client=CLIENTS, agent=AGENTS, attempt=NUMBERS)
    def some_task_is_said_to_have_failed(self, number: int, client: int, agent: str, attempt: int) -> None:
        self.world.fail(number, client, agent, attempt)

    @precondition(lambda self: self.world.deadlines)
    @rule(data=st.data())
    def a_deadline_passes(self, data: st.DataObject) -> None:
        order = self.world.deadlines[data.draw(st.sampled_from(sorted(self.world.deadlines)))]
        self.world.pass_deadline(order.kind, order.round, order.number)

    @rule(kind=st.sampled_from(["agents", "round"]), round=NUMBERS, number=NUMBERS)
    def a_deadline_passes_that_may_have_been_replaced(self, kind: str, round: int, number: int) -> None:
        self.world.pass_deadline(kind, round, number)

    @precondition(lambda self: self.world.aggregation)
    @rule()
    def the_state_is_made(self) -> None:
        assert self.world.aggregation is not None
        self.world.aggregate(self.world.aggregation.round)

    @precondition(lambda self: self.world.evaluation)
    @rule()
    def the_state_is_evaluated(self) -> None:
        assert self.world.evaluation is not None
        self.world.evaluate(self.world.evaluation.round)

    @rule(number=NUMBERS)
    def some_errand_is_done(self, number: int) -> None:
        self.world.aggregate(number)
        self.world.evaluate(number)

    @rule(lost=st.sets(CLIENTS, max_size=3), ago=st.integers(0, 2))
    def the_controller_is_killed_and_resumed_and_finds_updates_lost(self, lost: set[int], ago: int) -> None:
        self.world.resume(*sorted(lost), ago=ago)

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.open()
            deepcopy(self.world).wait_in_vain()
            self.world.carry_to_the_end()


def test_a_run_keeps_its_books_and_comes_to_its_end_whatever_happens() -> None:
    run_state_machine_as_test(Fate, settings=settings(max_examples=120, stateful_step_count=40, deadline=None))


@given(PLANS, st.data())
@settings(max_examples=40, deadline=None)
def test_neither_the_number_of_agents_nor_the_order_of_arrival_leaves_a_trace(
    rules: RunPlan, data: st.DataObject
) -> None:
    """The state that a round gives is a function of its updates, so equal orders to aggregate mean equal weights. Nor
    does it matter what else is done while a state is evaluated."""

    def aggregations(agents: int, overlap: bool) -> list[c.Aggregate]:
        run = Run(msgspec.structs.replace(rules, agents=agents))
        run.begins(*"abcd"[:agents], overlap=overlap)
        while not run.machine.over:
            while run.machine.phase == "training":
                if run.machine.beside is not None and data.draw(st.booleans()):
                    run.evaluates()
                run.sends(data.draw(st.sampled_from(sorted(run.machine.running.values()))))
            run.aggregates()
            run.evaluates()
        return every(c.Aggregate, run.commands)

    rules = msgspec.structs.replace(rules, over_selection=0)  # with it, who is fast decides
    assert aggregations(1, overlap=False) == aggregations(data.draw(st.integers(2, 4)), data.draw(st.booleans()))


@given(PLANS)
@settings(max_examples=40, deadline=None)
def test_one_agent_trains_the_same_clients_with_and_without_over_selection(rules: RunPlan) -> None:
    def aggregations(over_selection: int) -> list[c.Aggregate]:
        run = Run(msgspec.structs.replace(rules, agents=1, over_selection=over_selection))
        run.begins("a")
        while not run.machine.over:
            run.trains()
            run.aggregates()
            run.evaluates()
        return every(c.Aggregate, run.commands)

    assert aggregations(rules.over_selection) == aggregations(0)


@given(PLANS, st.lists(st.tuples(AGENTS, st.booleans()), max_size=12))
@settings(max_examples=40, deadline=None)
def test_agents_that_come_and_go_never_change_what_is_averaged(rules: RunPlan, visits: list[tuple[str, bool]]) -> None:
    world = World(msgspec.structs.replace(rules, max_attempts=len(visits) + 1), overlap=len(visits) % 2 == 1)
    world.open()
    for agent, comes in visits:
        if comes:
            world.join(agent, agent)
        else:
            world.lose(agent)
    world.carry_to_the_end()
    assert all(len(record.completed) == rules.clients_per_round for record in world.rounds)
    assert all(record.spare == () for record in world.rounds) or rules.over_selection
