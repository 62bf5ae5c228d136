"""The tables that people and programs read."""

from __future__ import annotations

import math
from dataclasses import replace

import aggregation_runs
import device_runs
import msgspec
from run_folders import DEMO, QUESTIONS, demo, experiment, round_record, run

from analysis import tables
from analysis.goals import goal_of
from analysis.link_tables import transfers
from harness.profiles import TargetProfile
from harness.records import Failure


def test_a_row_has_time_and_round_of_each_fraction_and_a_dash_where_it_was_not_reached() -> None:
    table = tables.time_to_target([run(metrics=(0.5, 0.73, None, 0.77))])
    assert table.rows == (("FeDeRA", "8.0 (2)", "16.0 (4)", "-", "-", "8.00", "0.7700", "147,456", "18,180"),)
    assert [column.label for column in table.columns[1:5]] == [
        "90 %, s (round)",
        "95 %, s (round)",
        "99 %, s (round)",
        "kB to 99 %",
    ]


def test_programs_get_raw_values_and_none_where_nothing_was_reached() -> None:
    (record,) = tables.time_to_target([run(metrics=(0.5, 0.73, None, 0.77))]).records
    assert (record["to_90_s"], record["to_90_round"], record["to_90_bytes"]) == (8.0, 2, 4000)
    assert (record["to_99_s"], record["to_99_round"], record["to_99_bytes"]) == (None, None, None)
    assert (record["clock"], record["target"], record["best"]) == ("critical path", 0.8, 0.77)


def test_clock_and_target_are_said() -> None:
    table = tables.time_to_target([run()])
    assert table.title == "Time to 90 %, 95 % and 99 % of accuracy 0.8"
    assert "clock: critical path" in table.note
    mixed = tables.time_to_target([run(), run(method="fedlr", clock="wall")])
    assert "clocks differ: critical path, wall" in mixed.note


def test_seconds_of_a_virtual_fleet_are_said_to_be_those_of_its_profiles() -> None:
    virtual = experiment(fleet="virtual", device={"name": "table8"}, link={"name": "lte"})
    words = "critical path, virtual: device table8, link lte"
    assert tables.time_to_target([run(of=virtual)]).note.startswith(f"clock: {words}. ")
    mixed = tables.clock_words([run(of=virtual), run(clock="wall")])
    assert mixed == f"clocks differ: {words}; wall"


def test_five_methods_share_one_unit_and_the_fastest_is_marked() -> None:
    table = tables.time_to_target([demo(method) for method in DEMO])
    assert [row[0] for row in table.rows] == ["FedFT", "FedBF", "FedAP", "FedLR", "FeDeRA"]
    assert table.rows[1][2:5] == ("-", "-", "-")
    assert table.best == {(4, 1), (4, 2), (4, 3)}


def test_hours_are_chosen_once_for_the_whole_table() -> None:
    slow = run(method="fedft")
    late = [round_record(n, m, elapsed_s=3600.0 * n) for n, m in enumerate((0.1, 0.72, 0.77, 0.8), start=1)]
    slow = type(slow)(slow.header, tuple(late), (), slow.path)
    table = tables.time_to_target([slow])
    assert table.rows[0][1:4] == ("2.00 (2)", "3.00 (3)", "4.00 (4)")
    assert table.columns[1].label == "90 %, h (round)"


def test_a_fast_method_beside_a_slow_one_is_shown_in_seconds_and_its_bytes_in_a_unit_of_their_own() -> None:
    """8 s beside 2,000 s would be 0.13 min; 4 kB to the target beside 40 kB in all would be told in tenths of MB."""
    slow = run(metrics=(0.1, 0.8, *[0.8] * 700), method="fedft")
    late = tuple(msgspec.structs.replace(r, elapsed_s=1000.0 * r.round) for r in slow.rounds)
    table = tables.time_to_target([replace(slow, rounds=late), run()])
    assert [row[1] for row in table.rows] == ["2,000.0 (2)", "8.0 (2)"]
    assert [column.label for column in table.columns[4:6]] == ["kB to 99 %", "MB in all"]


def test_a_run_without_rounds_has_a_row_of_dashes() -> None:
    table = tables.time_to_target([run(metrics=(), clock=None, init_s=None, ship_s=None)])
    assert table.rows[0][1:7] == ("-", "-", "-", "-", "0", "n/a")
    assert tables.round_phases([run(metrics=(), ship_s=None)]).rows[0][:4] == ("FeDeRA", "0", "n/a", "n/a")


def test_every_fraction_of_any_run_has_a_column() -> None:
    made = [run(of=experiment(target={"fractions": (0.5,)})), run(method="fedlr")]
    assert goal_of(made).fractions == (0.5, 0.9, 0.95, 0.99)
    assert len(tables.time_to_target(made).rows[0]) == 10


def test_each_target_has_a_table_whose_name_is_the_metric_after_the_first() -> None:
    made = [demo(method, of=QUESTIONS) for method in ("fedlr", "federa")]
    first, second = tables.times_to_targets(made)
    assert (first.name, second.name) == ("time-to-target", "time-to-target-f1")
    assert (first.title[-19:], second.title[-9:]) == ("of exact match 0.65", "of F1 0.8")
    assert "best F1" in [column.label for column in second.columns]
    assert [(record["method"], record["metric"]) for record in second.records] == [("fedlr", "f1"), ("federa", "f1")]
    assert second.records[0]["best"] == max(record.metrics["f1"] for record in made[0].rounds)


def test_no_two_tables_of_targets_have_one_name_and_no_name_leaves_its_folder() -> None:
    further = tuple(TargetProfile(metric=metric) for metric in ("accuracy", "../f1", "accuracy"))
    made = run(of=experiment(further_targets=further, train={"trainer": "null"}))  # checks no metric
    assert [table.name for table in tables.times_to_targets([made])] == [
        "time-to-target",
        "time-to-target-accuracy",
        "time-to-target--f1",
        "time-to-target-accuracy-4",
    ]


def test_a_round_is_shown_by_phase_with_svd_once() -> None:
    table = tables.round_phases([run()])
    row = dict(zip((column.label for column in table.columns), table.rows[0], strict=True))
    assert row["train"] == "2.000"
    assert row["communication"] == "1.250"
    assert row["SVD, once"] == "0.250"
    assert row["round"] == "4.000"
    assert row["wall"] == f"{round_record(1).wall_s:.3f}"
    assert table.records[0]["communication_s"] == 1.25


def test_each_failed_client_has_a_row() -> None:
    made = run(metrics=())
    failed = round_record(3, failed=(Failure(client=5, agent="a", reason="out of memory"),))
    table = tables.failures([type(made)(made.header, (failed,), (), made.path)])
    assert table.rows == (("FeDeRA", "3", "5", "a", "out of memory"),)


def test_joules_stand_beside_bytes_where_any_were_measured() -> None:
    made = [device_runs.run("federa"), device_runs.without_stamps(device_runs.run("fedft"))]
    table = tables.time_to_target(made)
    column = [each.label for each in table.columns].index("kJ to 99 %")
    assert [row[column] for row in table.rows] == ["3.31", "n/a"]
    assert table.records[0]["to_99_j"] == made[0].rounds[10].energy_j + sum(r.energy_j for r in made[0].rounds[:10])
    assert table.records[1]["to_99_j"] is None
    never = tables.time_to_target([device_runs.run("fedlr")])
    assert never.rows[0][column] == "-"
    assert math.isinf(float(str(never.records[0]["to_99_j"])))
    assert "kJ to 99 %" not in [each.label for each in tables.time_to_target([run()]).columns]


def test_a_reference_has_its_times_and_no_bytes_and_is_never_the_fastest() -> None:
    table = tables.time_to_target([aggregation_runs.run(method) for method in ("fedlr", "fra", "central")])
    assert [row[1] for row in table.rows] == ["32.0 (8)", "20.0 (5)", "12.0 (3)"]
    assert [row[4:6] for row in table.rows][-1] == ("none", "none")
    assert {place for place, _ in table.best} == {1}
    assert (table.records[-1]["to_90_s"], table.records[-1]["to_90_bytes"], table.records[-1]["payload_bytes"]) == (
        12,
        0,
        0,
    )
    assert table.note.startswith("clock: critical path. ")
    assert [row[0] for row in transfers([aggregation_runs.run(m) for m in ("fra", "central")]).rows] == ["FRA-LoRA"]
