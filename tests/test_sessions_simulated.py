"""The protocol on a wire that breaks, loses and reorders, under two agents that die and a controller that restarts."""

from collections import Counter
from pathlib import Path

import pytest
from simulated_run import PLAN, SimulatedRun

SEEDS = 40
"""Each a second of processor time at most; thousands of others have been tried."""


@pytest.mark.parametrize("seed", range(SEEDS))
def test_every_task_ends_in_one_update_and_nothing_gets_stuck(tmp_path: Path, seed: int) -> None:
    run = SimulatedRun(tmp_path, seed)
    run.carry_out()
    run.close()
    counted = Counter(round for round, _ in run.accepted)
    assert counted == dict.fromkeys(range(1, PLAN.rounds + 1), PLAN.clients_per_round)
