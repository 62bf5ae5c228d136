"""What a virtual run that goes on finds its devices with: told by what happened, and by what was ordered then."""

from __future__ import annotations

from pathlib import Path

from run_folders import client_record

from harness.fleets.virtual_left import counted, left_by
from harness.learning.outgoing import Lean, Outgoing
from harness.rounds.commands import AssignTask, CancelTask, WriteClient
from harness.rounds.events import TaskFailed
from harness.tensorfile import Layout


def wrote(agent: str, round: int, client: int) -> WriteClient:
    return WriteClient(record=client_record(agent=agent, round=round, client=client))


def assigned(agent: str, round: int, client: int) -> AssignTask:
    return AssignTask(agent=agent, round=round, client=client, attempt=1, state_sha256="0" * 64)


def outgoing(round: int, client: int) -> Outgoing:
    """Clients of an even number are given states of rank 4, those of an odd one, of rank 2, nothing less for."""
    lean = Lean(Path("lean"), "lean", since=f"whole {round - 1}, rank 4") if client % 2 == 0 else None
    return Outgoing(Path("whole"), f"whole {round} of {client}", Layout(()), lean)


def rank_of(client: int) -> int:
    return 2 if client % 2 else 4


def test_the_last_update_of_each_device_counts() -> None:
    orders = [assigned("a", 1, 0), assigned("b", 1, 1), wrote("b", 1, 1), wrote("a", 1, 0), assigned("b", 2, 4)]
    assert counted([], [*orders, wrote("b", 2, 4), assigned("a", 2, 5)]) == {"a": (1, 0), "b": (2, 4)}


def test_a_device_that_failed_or_was_stopped_has_nothing_until_its_next_update() -> None:
    failed = TaskFailed(at_s=0.0, round=2, client=3, agent="b", attempt=1, reason="no luck")
    orders = [wrote("a", 1, 0), wrote("b", 1, 1), assigned("a", 2, 2), assigned("b", 2, 3)]
    stopped = CancelTask(agent="a", round=2, client=2, attempt=1)
    assert counted([failed], orders[:3]) == {"a": (1, 0), "b": (1, 1)}
    assert counted([failed], [*orders, stopped]) == {}
    assert counted([failed], [*orders, stopped, wrote("b", 2, 2)]) == {"b": (2, 2)}


def test_devices_hold_what_smaller_files_build_on_or_what_the_open_round_gave_them() -> None:
    left = left_by({"old": (1, 0), "even": (2, 6), "odd": (2, 7), "done": (3, 5)}, 3, outgoing, rank_of)
    assert left.held == {"even": "whole 2, rank 4", "done": "whole 3 of 5"}
    assert left.done == {"done"}


def test_a_run_that_begins_asks_for_no_file() -> None:
    left = left_by({}, 1, outgoing, rank_of)
    assert (left.held, left.done) == ({}, frozenset())
