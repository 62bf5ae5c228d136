"""The round machine in a simulated fleet: it holds in any weather, and an event costs no share of the fleet."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from types import FrameType

import msgspec
import pytest
from perf import scale, scale_page, walls
from perf.bench_c_agents import with_states_of
from perf.null_runs import STATE_BYTES
from perf.simulator import SimulatedFleet, plan_of
from perf.store import Book
from perf.weather import Weather
from perf_books import figure, measurement

from harness.rounds import commands as c
from harness.rounds import events as e
from harness.rounds.machine import RoundMachine
from harness.rounds.replay import replay, written

STORM = Weather(fails=0.2, losses=0.2, breaks=0.3, stragglers=0.2, tardy=0.3, away_s=20.0)


class Story:
    """A run of a simulated fleet, checked after every event; its controller is lost before the ``lost_at``-th."""

    def __init__(self, agents: int, rounds: int, weather: Weather, seed: int = 0, lost_at: int | None = None) -> None:
        self.plan = plan_of(agents, rounds, seed)
        self.machine = RoundMachine(self.plan)
        self.events: list[e.AnyEvent] = []
        self.orders: list[c.AnyCommand] = []
        fleet = SimulatedFleet(self.plan, agents, weather, seed)
        while (event := fleet.next_event()) is not None:
            if len(self.events) == lost_at:
                event = fleet.lose_controller()
                self.machine, orders = replay(self.plan, self.events)
                assert orders == self.orders
            orders = self.machine.handle(event)
            self.machine.validate()
            self.events.append(event)
            self.orders += orders
            fleet.carry_out(orders)


@pytest.mark.parametrize("seed", range(6))
def test_a_run_in_fair_weather_closes_all_its_rounds(seed: int) -> None:
    story = Story(40, 3, Weather(), seed)
    assert story.machine.phase == "finished"
    clients, rounds = written(story.orders)
    assert [record.round for record in rounds] == [1, 2, 3]
    assert all(len(record.completed) >= story.plan.needed for record in rounds)
    assert len(clients) == sum(len(record.completed) for record in rounds)


@pytest.mark.parametrize("seed", range(6))
def test_a_storm_is_told_in_the_rounds_and_counts_nothing_twice(seed: int) -> None:
    story = Story(30, 3, STORM, seed)
    assert story.machine.over
    kinds = Counter(type(event) for event in story.events)
    assert min(kinds[kind] for kind in (e.AgentLost, e.TaskFailed, e.AgentReconnected, e.UpdateLate)) > 0
    clients, rounds = written(story.orders)
    assert len(clients) == len({(record.round, record.client) for record in clients})
    for record in rounds:
        told = (*record.completed, *(failure.client for failure in record.failed), *record.spare)
        assert sorted(told) == list(record.selected)


@pytest.mark.parametrize("lost_at", [1, 45, 77, 140])
def test_a_lost_controller_s_successor_carries_the_run_to_its_end(lost_at: int) -> None:
    story = Story(40, 3, STORM, seed=1, lost_at=lost_at)
    assert sum(isinstance(event, e.ControllerResumed) for event in story.events) == 1
    assert story.machine.over


def test_a_seed_decides_everything() -> None:
    first, again, other = (Story(20, 2, STORM, seed).events for seed in (3, 3, 4))
    assert first == again
    assert first != other


def test_what_an_event_costs_does_not_grow_with_the_fleet() -> None:
    few, many = (calls_an_event(agents) for agents in (60, 600))
    assert many < 1.2 * few


def calls_an_event(agents: int) -> float:
    """How many functions the machine calls for an event of a run; a count, so that no clock decides."""
    plan = plan_of(agents, 2)
    fleet, machine = SimulatedFleet(plan, agents, Weather(), 0), RoundMachine(plan)
    calls = events = 0

    def count(frame: FrameType, what: str, argument: object) -> None:
        nonlocal calls
        calls += what in ("call", "c_call")

    while (event := fleet.next_event()) is not None:
        events += 1
        before = sys.getprofile()
        sys.setprofile(count)
        orders = machine.handle(event)
        sys.setprofile(before)
        fleet.carry_out(orders)
    return calls / events


FLEET = walls.Fleet(
    agents=100,
    rounds=2,
    events=250,
    updates=200,
    handle_s=0.002,
    longest_s=0.001,
    events_bytes=200_000,
    round_s=80.0,
    read_s=0.001,
    replay_s=0.002,
    rewrite_s=0.001,
    recover_peak_bytes=2_000_000,
    machine_bytes=300_000,
    round_bytes=10_000,
)


def test_a_wall_stands_where_its_sum_says() -> None:
    costs = walls.costs_of(FLEET, 5_000_000, shell_s=0.001, aggregate_bytes_per_s=2e9)
    found = {wall.name: wall.agents for wall in walls.walls(costs, walls.Means())}
    assert found["network of 1 Gbit/s, each way"] == pytest.approx(60 * 1e9 / 8 / 5e6)
    assert found["one core for all threads of the controller, aggregation included"] == pytest.approx(60 / 0.001)
    assert found["aggregation in 10% of a round"] == pytest.approx(6 * 2e9 / 5e6)
    assert found["a resume after 1,000 rounds in 60 s"] == pytest.approx(60 / (1000 * 0.004 / 200))
    assert list(found.values()) == sorted(found.values(), key=lambda agents: agents or 0.0)


def test_a_wall_that_nobody_measured_comes_last() -> None:
    costs = walls.costs_of(FLEET, 5_000_000, shell_s=None, aggregate_bytes_per_s=None)
    assert [wall.agents for wall in walls.walls(costs, walls.Means())][-2:] == [None, None]


def test_a_layer_of_regions_takes_as_many_transfers_as_a_region_and_the_root() -> None:
    row = scale_page.tree_table(5_000_000, 1e9, [10_000]).splitlines()[-1]
    assert row == "| 10,000 | 400.0 s | 100 | 100 | 8.0 s | 500 MB |"


def test_the_shell_s_cost_is_what_benchmark_c_measured_with_states_of_the_fleet_s_size() -> None:
    state_bytes = Weather().state_bytes
    assert state_bytes == STATE_BYTES, "benchmark c measures states of another size than the fleet has"
    small = figure("processor, 100 agents", 0.8, unit="ms a client")
    full = figure(with_states_of(state_bytes), 16.0, unit="ms a client")
    assert scale.shell_s_of(Book(measurements=(measurement("c", small, full),)), state_bytes) == pytest.approx(0.016)
    assert scale.shell_s_of(Book(measurements=(measurement("c", small),)), state_bytes) is None
    assert scale.shell_s_of(Book(), state_bytes) is None


def test_the_command_puts_its_tables_between_the_markers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = tmp_path / "scale.md"
    document.write_text(f"before\n{scale_page.BEGIN}\nold\n{scale_page.END}\nafter\n")
    asked = ["--agents", "20", "--rounds", "2", "--repetitions", "1", "--performance", str(tmp_path / "none.json")]
    assert scale.main([*asked, "--write", str(document)]) == 0
    text = document.read_text()
    assert text.startswith("before\n<!--")
    assert text.endswith("-->\nafter\n")
    assert "old" not in text
    assert "| 20 | " in text
    assert "benchmark c is not measured with states of this size; run `make perf ONLY=c` first | - |" in text
    assert capsys.readouterr().err.startswith("scale: benchmark c is not measured")


def test_a_document_without_its_markers_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = tmp_path / "scale.md"
    document.write_text("no markers")
    assert scale.main(["--agents", "10", "--rounds", "1", "--repetitions", "1", "--write", str(document)]) == 1
    assert "once each and in this order" in capsys.readouterr().err
    assert document.read_text() == "no markers"


def test_events_of_the_simulation_are_lines_as_any(tmp_path: Path) -> None:
    for event in Story(10, 1, STORM).events:
        assert msgspec.json.decode(msgspec.json.encode(event), type=e.AnyEvent) == event
