"""What a person sees of a run: one line a round where there is no terminal, a bar where there is one."""

from __future__ import annotations

import io

from rich.console import Console
from run_folders import client_record, experiment

from harness.progress import ProgressScreen
from harness.rounds.events import AgentJoined, AgentLost, Aggregated, AnyEvent, Evaluated, RunOpened, UpdateReceived
from harness.rounds.machine import RoundMachine
from harness.rounds.plan import RunPlan

SMALL = experiment(rounds={"count": 3, "clients_per_round": 1}, agents={"count": 1}, partition={"clients": 1})
SHA256 = "0" * 64


def story(metric: float) -> list[AnyEvent]:
    """One round of one client."""
    return [
        RunOpened(at_s=0.0, svd_s=0.0, state_sha256=SHA256),
        AgentJoined(at_s=0.0, agent="orin-1", host="h", provision_s=0.0, ship_s=0.0),
        UpdateReceived(at_s=1.0, record=client_record(1, 0, agent="orin-1", total_s=2.5)),
        Aggregated(at_s=1.0, round=1, state_sha256=SHA256, aggregate_s=0.5),
        Evaluated(at_s=1.0, round=1, metrics={"accuracy": metric}, evaluate_s=0.1),
    ]


def shown(events: list[AnyEvent], terminal: bool) -> str:
    written = io.StringIO()
    console = Console(file=written, force_terminal=terminal, width=100, _environ={})
    machine = RoundMachine(RunPlan.of(SMALL))
    with ProgressScreen(console, SMALL, "federa") as screen:
        for event in events:
            machine.handle(event)
            screen.saw(event, machine)
    return written.getvalue()


def test_each_evaluated_round_is_a_line_where_there_is_no_terminal() -> None:
    lines = shown(story(0.587), terminal=False).splitlines()
    assert lines[0] == "orin-1 is ready (1 of 1)"
    assert lines[1].startswith("federa round 1/3  accuracy 0.587  1.0 s  (")
    assert lines[1].endswith("left)")
    assert len(lines) == 2


def test_a_terminal_shows_rounds_metric_and_what_is_under_way() -> None:
    bar = shown(story(0.587), terminal=True)
    assert "1/3" in bar
    assert "accuracy 0.587" in bar
    assert "clients 0/1" in bar
    assert "evaluating" in shown(story(0.5)[:-1], terminal=True)


def test_a_lost_agent_is_said_with_its_reason() -> None:
    lost = AgentLost(at_s=0.5, agent="orin-1", reason="no heartbeat for 3 s")
    assert "orin-1 is lost: no heartbeat for 3 s" in shown([*story(0.5)[:2], lost], terminal=False)
