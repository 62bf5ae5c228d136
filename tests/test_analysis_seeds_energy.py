"""Energy over seeds: medians with intervals, of measured runs alone."""

from __future__ import annotations

import math

import device_runs
import run_folders

from analysis.load import Run
from analysis.rendering import Table
from analysis.seeds.tables import seed_tables


def energy_table(runs: list[Run]) -> Table | None:
    return next((table for table in seed_tables(runs) if table.name == "seeds-energy-to-target"), None)


def test_medians_of_the_devices_joules_have_an_interval() -> None:
    table = energy_table([device_runs.run(seed=seed) for seed in range(3)])
    assert table is not None
    assert table.rows[0][0] == "FeDeRA"
    assert table.rows[0][1].startswith("2.")
    assert table.rows[0][1].endswith("]")
    record = table.records[0]
    low, middle, high = (float(str(record[f"to_90_{key}_j"])) for key in ("low", "median", "high"))
    assert low <= middle <= high < 3000


def test_a_run_that_got_there_unmeasured_leaves_no_median_and_one_that_never_did_counts_as_more() -> None:
    first, second = (device_runs.run(seed=seed) for seed in range(2))
    gap = device_runs.changed(second, [0], energy_j=None, flags=("gap",))
    table = energy_table([first, gap])
    assert table is not None
    assert table.rows[0][1:] == ("n/a", "n/a", "n/a")
    short = device_runs.run(rounds=12, seed=1, method="fedlr")
    never = energy_table([short, device_runs.run(rounds=12, seed=2, method="fedlr")])
    assert never is not None
    assert never.rows[0][-1] == "-"
    assert math.isinf(float(str(never.records[0]["to_99_median_j"])))


def test_runs_without_sensors_have_no_such_table() -> None:
    assert energy_table([run_folders.run(seed=seed) for seed in range(2)]) is None
