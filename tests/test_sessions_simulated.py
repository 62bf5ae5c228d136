"""The protocol on a wire that breaks, loses and reorders, under two agents that die and a controller that restarts."""

from collections import Counter
from pathlib import Path

import pytest
from simulated_run import PLAN, SimulatedRun
from simulated_states import STATE_BYTES, next_state
from small_tensors import tensor_file

STATE_FILE_BYTES, LEAN_FILE_BYTES = map(len, next_state(tensor_file(bytes(STATE_BYTES)), 1, b""))
SEEDS = 40
"""Each a second of processor time at most; thousands of others have been tried."""


@pytest.mark.parametrize("seed", range(SEEDS))
def test_every_task_ends_in_one_update_and_nothing_gets_stuck(tmp_path: Path, seed: int) -> None:
    run = SimulatedRun(tmp_path, seed)
    run.carry_out()
    run.close()
    counted = Counter(round for round, _ in run.accepted)
    assert counted == dict.fromkeys(range(1, PLAN.rounds + 1), PLAN.clients_per_round)
    assert {record.download_bytes for record in run.accepted.values()} <= {STATE_FILE_BYTES, LEAN_FILE_BYTES}


@pytest.mark.parametrize("seed", range(1000, 1012))
def test_the_same_goes_for_a_run_whose_states_are_evaluated_beside_the_next_round(tmp_path: Path, seed: int) -> None:
    run = SimulatedRun(tmp_path, seed, overlap=True)
    run.carry_out()
    run.close()
    assert Counter(round for round, _ in run.accepted) == dict.fromkeys(range(1, 4), PLAN.clients_per_round)
    assert [record.round for record in run.machine.records if record.metrics] == [1, 2, 3]


@pytest.mark.parametrize("seed", range(5))
def test_where_nothing_goes_wrong_an_agent_that_trained_before_is_given_less(tmp_path: Path, seed: int) -> None:
    run = SimulatedRun(tmp_path, seed, faulty=False)
    run.carry_out()
    run.close()
    fetched: dict[tuple[int, str], list[int]] = {}
    for (round, _), record in run.accepted.items():
        fetched.setdefault((round, record.agent), []).append(record.download_bytes)
    for (round, agent), (first, *others) in fetched.items():
        # Its trainer still holds what the first of them built on, if it did.
        assert set(others) <= {first}
        assert first == STATE_FILE_BYTES or (round - 1, agent) in fetched, "its trainer held nothing"
    assert any(LEAN_FILE_BYTES in sizes for sizes in fetched.values())
