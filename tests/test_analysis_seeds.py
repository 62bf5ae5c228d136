"""Time to a target over seeds."""

from __future__ import annotations

from run_folders import QUESTIONS, demo, experiment, run

from analysis.load import Run
from analysis.rendering import to_csv
from analysis.seeds import tables as seeds

LOST = (0.5, 0.6)


def at(rounds: int, seed: int, method: str = "federa", **of: object) -> Run:
    """A run that reaches every fraction in round number ``rounds``, which is at 4 s times that."""
    return run(
        metrics=(*(0.1,) * (rounds - 1), 0.8), method=method, seed=seed, run_id=f"{method}-{seed}-{rounds}", **of
    )


def test_one_seed_of_each_method_has_no_table() -> None:
    assert seeds.seed_tables([run(), run(method="fedlr", seed=1)]) == ()


def test_a_rerun_of_the_same_seed_is_no_second_seed() -> None:
    assert seeds.seed_tables([run(), run(run_id="again")]) == ()


def test_a_method_is_a_row_with_its_median_and_its_interval() -> None:
    (table,) = seeds.seed_tables([at(2, seed=0), at(4, seed=1), at(3, seed=2)])
    assert table.name == "seeds-time-to-target"
    assert table.rows[0][:3] == ("FeDeRA", "12.0 [8.0, 16.0] (3/3)", "12.0 [8.0, 16.0] (3/3)")
    assert table.rows[0][-1] == "0.8000 ± 0.0000"
    assert [column.label for column in table.columns[:2]] == ["method", "90 %, s [interval] (reached)"]


def test_runs_that_never_reached_it_are_counted_and_leave_the_interval_open() -> None:
    runs = [*(at(n, seed=n) for n in (2, 3, 4, 5)), run(metrics=LOST, seed=9)]
    (table,) = seeds.seed_tables(runs)
    assert table.rows[0][1:3] == ("16.0 [8.0, -] (4/5)", "16.0")
    (record,) = table.records
    assert (record["to_90_reached"], record["to_90_median_s"], record["to_90_median_of_reached_s"]) == (4, 16.0, 14.0)


def test_where_most_runs_never_reached_it_there_is_no_median() -> None:
    runs = [at(2, seed=0), run(metrics=LOST, seed=1), run(metrics=LOST, seed=2)]
    (table,) = seeds.seed_tables(runs)
    assert table.rows[0][1] == "- [8.00, -] (1/3)"
    assert to_csv(table).splitlines()[1].split(",")[8:13] == ["1", "-", "8.0", "-", "8.0"]


def test_where_no_run_reached_it_there_is_a_dash_alone() -> None:
    (table,) = seeds.seed_tables([run(metrics=LOST, seed=0), run(metrics=LOST, seed=1)])
    assert table.rows[0][1] == "- (0/2)"


def test_a_single_run_beside_others_has_no_interval() -> None:
    table, _ = seeds.seed_tables([at(2, seed=0), at(3, seed=1), at(5, seed=0, method="fedlr")])
    assert table.rows[0] == ("FedLR", "20.0 (1/1)", "20.0 (1/1)", "20.0 (1/1)", "0.8000")
    assert (table.records[0]["to_90_low_s"], table.records[0]["best_std"]) == (None, None)
    assert table.best == {(1, 1), (1, 2), (1, 3)}


def test_mlperfs_mean_appears_from_five_runs_on() -> None:
    (table,) = seeds.seed_tables([at(n, seed=n) for n in (1, 2, 3, 4, 10)])
    assert table.columns[2].label == "90 %, s, trimmed mean"
    assert table.rows[0][1:3] == ("12.0 [4.0, 40.0] (5/5)", "12.0")
    assert seeds.seed_tables([*(at(n, seed=n) for n in range(2, 7)), at(9, seed=2, method="fedlr")])[0].best == {
        (1, 1),
        (1, 3),
        (1, 5),
    }
    assert "without the fastest and the slowest" in table.note
    (four,) = seeds.seed_tables([at(n, seed=n) for n in (1, 2, 3, 4)])
    assert not any("trimmed" in column.label for column in four.columns)


def test_other_learning_rates_and_alphas_are_groups_of_their_own() -> None:
    slow = experiment(partition={"alpha": 1.0})
    runs = [at(n, seed=n, of=of) for of in (experiment(), slow) for n in (2, 3)]
    (table,) = seeds.seed_tables(runs)
    assert [record["runs"] for record in table.records] == [2, 2]
    assert [row[0] for row in table.rows] == ["FeDeRA alpha 0.1", "FeDeRA alpha 1"]


def test_each_target_has_its_tables() -> None:
    runs = [demo(method, seed=seed, of=QUESTIONS) for method in ("fedlr", "federa") for seed in (0, 1)]
    assert [table.name for table in seeds.seed_tables(runs)] == [
        "seeds-time-to-target",
        "seeds-speed-up",
        "seeds-time-to-target-f1",
        "seeds-speed-up-f1",
    ]


def test_runs_that_were_stopped_are_said() -> None:
    (table,) = seeds.seed_tables([at(2, seed=0), at(3, seed=1, state="interrupted")])
    assert "1 run did not end as planned" in table.note
    (whole,) = seeds.seed_tables([at(2, seed=0), at(3, seed=1)])
    assert "did not end" not in whole.note


def test_the_order_of_the_runs_changes_nothing() -> None:
    runs = [demo(method, seed=seed) for method in ("federa", "fedbf") for seed in (2, 0, 1)]
    assert seeds.seed_tables(runs) == seeds.seed_tables(runs[::-1])
