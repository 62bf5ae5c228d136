"""What a person sees of a run: a bar on a terminal, lines elsewhere, and what others said as they said it."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from run_folders import client_record, experiment

from harness.progress import ProgressScreen
from harness.rounds.commands import AssignTask, SetDeadline
from harness.rounds.events import (
    AgentJoined,
    AgentLost,
    Aggregated,
    AnyEvent,
    DeadlinePassed,
    Evaluated,
    RunOpened,
    TaskFailed,
    UpdateLate,
    UpdateLost,
    UpdateReceived,
)
from harness.rounds.machine import RoundMachine
from harness.rounds.plan import RunPlan

OF = experiment(rounds={"count": 2, "clients_per_round": 1}, agents={"count": 1}, partition={"clients": 4})
JOINED = AgentJoined(at_s=1.0, agent="a", host="here", provision_s=3.0, ship_s=0.5)


def screen(*, terminal: bool = False) -> tuple[ProgressScreen, io.StringIO]:
    written = io.StringIO()
    console = Console(file=written, width=120, force_terminal=terminal, color_system=None)
    return ProgressScreen(console, OF, "federa"), written


def play(shown: ProgressScreen, until: type[AnyEvent] | None = None) -> RoundMachine:
    """A run of two rounds, each event shown, to its end or the first event of a kind; its first client fails once."""
    machine = RoundMachine(RunPlan.of(OF))
    waiting: list[AnyEvent] = [RunOpened(at_s=0.0, svd_s=0.25, state_sha256="0" * 64), JOINED]
    while waiting:
        event = waiting.pop(0)
        orders = machine.handle(event)
        shown.saw(event, machine)
        if until is not None and isinstance(event, until):
            break
        tasks = [order for order in orders if isinstance(order, AssignTask)]
        waiting += [end for task in tasks for end in _ends(task)]
    return machine


def _ends(task: AssignTask) -> list[AnyEvent]:
    if (task.round, task.attempt) == (1, 1):
        return [TaskFailed(at_s=2.0, round=1, client=task.client, agent="a", attempt=1, reason="no [/memory]")]
    return [
        UpdateReceived(at_s=3.0, record=client_record(task.round, task.client, agent="a", attempt=task.attempt)),
        Aggregated(at_s=4.0, round=task.round, state_sha256="1" * 64, aggregate_s=0.1),
        Evaluated(at_s=5.0, round=task.round, metrics={"accuracy": task.round / 4}, evaluate_s=0.5),
    ]


def test_without_a_terminal_each_evaluated_round_is_a_line() -> None:
    shown, written = screen()
    with shown:
        assert play(shown).over
    lines = written.getvalue().splitlines()
    assert lines[0] == "a is ready (1 of 1)"
    assert lines[1].endswith("failed on a: no [/memory]")
    assert lines[2].startswith("federa round 1/2  accuracy 0.250  ")
    assert lines[2].endswith(" left)")
    assert lines[3].startswith("federa round 2/2  accuracy 0.500  ")
    assert "left" not in lines[3], "nothing is left at the end"
    assert len(lines) == 4


def test_on_a_terminal_a_bar_counts_the_rounds_and_shows_the_metric() -> None:
    shown, written = screen(terminal=True)
    with shown:
        play(shown)
    last = written.getvalue().splitlines()[-2]  # what follows shows the cursor again
    assert all(word in last for word in ("federa", "2/2", "accuracy 0.500"))


def test_the_bar_says_what_is_under_way() -> None:
    shown, written = screen(terminal=True)
    machine = RoundMachine(RunPlan.of(OF))
    with shown:
        for event in (RunOpened(at_s=0.0, svd_s=0.25, state_sha256="0" * 64), JOINED):
            machine.handle(event)
            shown.saw(event, machine)
    assert "clients 0/1 ? left" in " ".join(written.getvalue().split()).replace(" 0:00:00", "")
    shown, written = screen(terminal=True)
    with shown:
        play(shown, until=Aggregated)
    assert "evaluating" in written.getvalue()


def test_who_comes_when_enough_are_here_is_not_counted_beyond_them() -> None:
    shown, written = screen()
    machine = RoundMachine(RunPlan.of(OF))
    with shown:
        for agent in ("a", "b"):
            event = AgentJoined(at_s=1.0, agent=agent, host="here", provision_s=3.0, ship_s=0.5)
            for each in (RunOpened(at_s=0.0, svd_s=0.0, state_sha256="0" * 64), event) if agent == "a" else (event,):
                machine.handle(each)
            shown.saw(event, machine)
    assert written.getvalue().splitlines() == ["a is ready (1 of 1)", "b joined"]


def test_without_agents_the_bar_says_that_it_waits_for_them() -> None:
    shown, _ = screen(terminal=True)
    machine = RoundMachine(RunPlan.of(OF))
    opened = RunOpened(at_s=0.0, svd_s=0.25, state_sha256="0" * 64)
    lost = AgentLost(at_s=2.0, agent="a", reason="it left")
    said = []
    with shown:
        for event in (opened, JOINED, lost):
            machine.handle(event)
            shown.saw(event, machine)
            said.append(shown.doing(machine))
    assert said == ["agents 0/1", "clients 0/1", "agents 0/1"]


@pytest.mark.parametrize(
    ("quorum", "said"),
    [
        (0.5, "the deadline of round 1 passed; going on with 1 of 2 clients"),
        (1.0, "the deadline of round 1 passed with 1 of 2 clients, which is no quorum; waiting on"),
    ],
)
def test_a_deadline_that_a_round_ran_into_is_told_with_what_came_of_it(quorum: float, said: str) -> None:
    written = io.StringIO()
    rounds = {"count": 2, "clients_per_round": 2, "quorum": quorum, "deadline_s": 9.0}
    of = experiment(rounds=rounds, agents={"count": 1}, partition={"clients": 4})
    shown, machine = ProgressScreen(Console(file=written, width=120), of, "federa"), RoundMachine(RunPlan.of(of))
    deadline: SetDeadline | None = None
    with shown:
        for event in (RunOpened(at_s=0.0, svd_s=0.25, state_sha256="0" * 64), JOINED):
            orders = machine.handle(event)
            shown.saw(event, machine)
            deadline = next(
                (each for each in orders if isinstance(each, SetDeadline) and each.kind == "round"), deadline
            )
        assert deadline is not None
        update = UpdateReceived(at_s=3.0, record=client_record(1, machine.selected[0], agent="a"))
        passed = DeadlinePassed(at_s=9.0, kind="round", round=1, number=deadline.number)
        for event in (update, passed, passed):
            machine.handle(event)
            shown.saw(event, machine)
    assert written.getvalue().splitlines()[1] == said


@pytest.mark.parametrize("terminal", [True, False])
def test_what_others_say_is_shown_as_it_is_even_where_it_looks_like_markup(terminal: bool) -> None:
    shown, written = screen(terminal=terminal)
    machine = RoundMachine(RunPlan.of(OF))
    with shown:
        shown.say("reading /data/[old]/train [/bold]")
        shown.saw(AgentLost(at_s=0.0, agent="a", reason="it left: [red]no[/blue] disk"), machine)
    assert "reading /data/[old]/train [/bold]" in written.getvalue()
    assert "a was lost: it left: [red]no[/blue] disk" in written.getvalue()


def test_updates_that_are_late_or_lost_are_told() -> None:
    shown, written = screen()
    machine = RoundMachine(RunPlan.of(OF))
    with shown:
        shown.saw(UpdateLost(at_s=1.0, round=1, client=3, reason="client-0003 is gone"), machine)
        shown.saw(UpdateLate(at_s=1.0, round=1, client=3, agent="[b]", attempt=1), machine)
    assert written.getvalue().splitlines() == [
        "client 3 is trained again: client-0003 is gone",
        "[b] has an update of client 3 that came too late",
    ]


def test_a_line_tells_of_the_round_that_was_evaluated_also_where_the_next_one_waited_for_it() -> None:
    shown, written = screen()
    machine = RoundMachine(RunPlan.of(OF))

    def happens(*events: AnyEvent) -> None:
        for event in events:
            machine.handle(event)
            shown.saw(event, machine)

    with shown:
        happens(RunOpened(at_s=0.0, svd_s=0.25, state_sha256="0" * 64, overlap=True), JOINED)
        for number in (1, 2):
            (client,) = machine.running
            happens(UpdateReceived(at_s=3.0, record=client_record(number, client, agent="a")))
            happens(Aggregated(at_s=4.0, round=number, state_sha256="1" * 64, aggregate_s=0.1))
        for number in (1, 2):
            happens(Evaluated(at_s=5.0, round=number, metrics={"accuracy": number / 4}, evaluate_s=0.5))
    assert machine.over
    first, second = written.getvalue().splitlines()[1:]
    assert first.startswith("federa round 1/2  accuracy 0.250  ")
    assert second.startswith("federa round 2/2  accuracy 0.500  ")
