"""How many times as fast one method is as another."""

from __future__ import annotations

import math

import msgspec
from run_folders import experiment, run

from analysis.goals import goal_of
from analysis.groups import groups_of
from analysis.load import Run
from analysis.rendering import Table, to_csv
from analysis.seeds.seeded import Seeded
from analysis.seeds.speedup import speed_ups
from analysis.seeds.tables import seed_tables
from harness.profiles import MethodProfile, TargetProfile


def at(method: str, rounds: int, seed: int, **of: object) -> Run:
    return run(
        metrics=(*(0.1,) * (rounds - 1), 0.8), method=method, seed=seed, run_id=f"{method}-{seed}-{rounds}", **of
    )


def speed_up(*runs: Run) -> Table:
    (table,) = [table for table in seed_tables(runs) if table.name == "seeds-speed-up"]
    return table


def test_each_method_is_compared_with_those_before_it() -> None:
    runs = [at(method, 3, seed) for method in ("fedft", "fedlr", "federa") for seed in (0, 1)]
    assert [row[:2] for row in speed_up(*runs).rows] == [("FedLR", "FedFT"), ("FeDeRA", "FedFT"), ("FeDeRA", "FedLR")]


def test_equal_seeds_are_drawn_in_pairs() -> None:
    runs = [at("fedlr", 4, 0), at("fedlr", 20, 1), at("federa", 2, 0), at("federa", 10, 1)]
    table = speed_up(*runs)
    assert table.rows[0][:3] == ("FeDeRA", "FedLR", "2.00 [2.00, 2.00]")
    assert "seeds, which both methods share" in table.note
    assert table.records[0]["paired"] == "yes"


def test_other_seeds_are_drawn_on_their_own() -> None:
    runs = [at("fedlr", 4, 0), at("fedlr", 20, 1), at("federa", 2, 5), at("federa", 10, 6)]
    table = speed_up(*runs)
    assert table.rows[0][2] == "2.00 [0.400, 10.0]"
    assert "on their own" in table.note
    assert table.records[0]["paired"] == "no"


def test_where_only_some_share_their_seeds_the_others_are_named() -> None:
    runs = [at(method, 3, seed) for method in ("fedlr", "federa") for seed in (0, 1)]
    table = speed_up(*runs, at("fedft", 9, 7))
    assert "(FedLR over FedFT and FeDeRA over FedFT)" in table.note
    assert [record["paired"] for record in table.records] == ["no", "no", "yes"]
    assert table.rows[0][2] == "3.00"


def test_a_baseline_that_never_got_there_has_no_ratio() -> None:
    lost = [run(metrics=(0.1,), method="fedbf", seed=seed) for seed in (0, 1)]
    table = speed_up(*lost, at("federa", 3, 0), at("federa", 4, 1))
    assert table.rows[0][2:] == ("-", "-", "-")
    assert table.records[0]["speed_up_90"] == math.inf
    assert to_csv(table).splitlines()[1].endswith(",yes,-,-,-,-,-,-,-,-,-")


def test_runs_of_different_conditions_are_not_compared() -> None:
    here, there = experiment(), experiment(link={"rate_mbps": 5.0})
    runs = [at("fedlr", 4, seed, of=here) for seed in (0, 1)] + [at("federa", 2, seed, of=there) for seed in (0, 1)]
    assert [table.name for table in seed_tables(runs)] == ["seeds-time-to-target"]


def test_each_method_may_have_settings_of_its_own() -> None:
    slow = experiment()
    other = msgspec.structs.replace(slow, methods={"federa": MethodProfile(lr=1e-3)})
    runs = [at("fedlr", 4, seed, of=slow) for seed in (0, 1)] + [at("federa", 2, seed, of=other) for seed in (0, 1)]
    assert speed_up(*runs).rows[0][:2] == ("FeDeRA", "FedLR")


def test_settings_of_one_method_are_no_baselines_of_each_other() -> None:
    rates = [msgspec.structs.replace(experiment(), methods={"federa": MethodProfile(lr=lr)}) for lr in (1e-3, 1e-4)]
    runs = [at("federa", 3, seed, of=of) for of in rates for seed in (0, 1)]
    assert [table.name for table in seed_tables(runs)] == ["seeds-time-to-target"]


def test_a_seed_that_ran_twice_makes_no_pairs() -> None:
    runs = [at(method, rounds, 0) for method in ("fedlr", "federa") for rounds in (2, 3)]
    table = speed_up(*runs, at("fedlr", 4, 1), at("federa", 4, 1))
    assert [record["paired"] for record in table.records] == ["no"]


def test_pairs_are_made_by_seed_whatever_the_order_of_the_runs() -> None:
    """By seed the speed-up is 2 in each pair; in the order of the runs it would be from 0.4 to 10."""
    method, baseline = (
        Seeded(groups_of(runs)[0], TargetProfile(value=0.8))
        for runs in (
            [at("federa", 10, 1), at("federa", 2, 0)],
            [at("fedlr", 4, 0), at("fedlr", 20, 1)],
        )
    )
    table = speed_ups(goal_of(method.group.runs), [(method, baseline)])
    assert table.rows[0][2] == "2.00 [2.00, 2.00]"
