"""Recorded and retimed times side by side, crossovers, and seconds of a round."""

from __future__ import annotations

import io

import pytest
import run_folders
import timed_runs
from rich.console import Console
from timed_runs import LTE, STATE_BYTES, timed_run

from analysis.goals import goal_of
from analysis.rendering import to_csv, to_latex, to_markdown, to_terminal
from analysis.retime import tables as retime_tables
from analysis.retime.rates import Crossover, method_lines
from analysis.retime.study import study
from harness.profiles import DeviceProfile

SLOW = DeviceProfile(name="slow", slowdown=3.0, slower_than="desk")


def test_recorded_and_retimed_times_stand_side_by_side_with_their_round() -> None:
    run = timed_run("federa")
    made = study([run], LTE)
    table = retime_tables.times(made)
    assert table.title == "Time to 90 %, 95 % and 99 % of accuracy 0.8, over lte"
    assert [column.label for column in table.columns[:3]] == ["method", "90 %, s", "retimed (round)"]
    (row,) = table.rows
    before, after = run.rounds[1].elapsed_s, made.retimed[0].rounds[1].elapsed_s
    assert row[:3] == ("FeDeRA", f"{before:.2f}", f"{after:.1f} (2)")
    assert float(row[-1]) == pytest.approx(4 * 4 * STATE_BYTES / 1e6)


def test_a_reference_sends_nothing_is_not_the_fastest_and_crosses_nobody() -> None:
    quick = timed_run("central", metrics=(0.8,), train_s=0.01)
    made = study([timed_run("fedlr"), timed_run("fra"), quick], LTE)
    table = retime_tables.times(made)
    assert table.rows[2][-1] == "none"
    assert "none" not in (table.rows[0][-1], table.rows[1][-1])
    assert 2 not in {row for row, _ in table.best}
    assert [line.method for line in method_lines(made, goal_of(made.recorded), 0.9)] == ["fedlr", "fra"]


def test_five_methods_fit_a_terminal_of_120_columns() -> None:
    made = study([timed_run(method) for method in ("fedft", "fedbf", "fedap", "fedlr", "federa")], LTE)
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(to_terminal(retime_tables.times(made)))
    assert (
        " method  90 %, s  retimed (round)  95 %, s  retimed (round)  99 %, s  retimed (round)" in console.export_text()
    )


def test_the_records_are_raw_and_tell_the_conditions() -> None:
    (record,) = retime_tables.times(study([timed_run("fedlr")], LTE, SLOW, "int8")).records
    assert (record["link"], record["device"], record["payload_factor"]) == ("lte", "slow", 0.25)
    assert (record["to_90_round"], record["to_99_round"]) == (2, 4)
    assert (record["to_90_recorded_bytes"], record["to_90_retimed_bytes"]) == (8 * STATE_BYTES, 2 * STATE_BYTES)
    assert record["to_90_recorded_s"] != record["to_90_retimed_s"]


def test_what_was_never_reached_never_is() -> None:
    runs = [timed_run("fedbf", (0.5, 0.73)), timed_run("federa")]
    table = retime_tables.times(study(runs, LTE))
    assert table.rows[0][3:] == ("-", "-", "-", "-", "-")
    assert ",-,-,-,-,-" in to_csv(table).splitlines()[1]


def test_bytes_are_those_to_the_highest_fraction_that_anyone_reached() -> None:
    table = retime_tables.times(study([timed_run("fedbf", (0.5, 0.6)), timed_run("federa", (0.5, 0.73, 0.77))], LTE))
    assert table.columns[-1].label == "MB to 95 %"
    assert [row[-1] for row in table.rows] == ["-", "12.0"]


def test_the_fastest_of_each_column_is_marked() -> None:
    runs = [timed_run("fedlr", (0.5, 0.5, 0.8)), timed_run("federa")]
    table = retime_tables.times(study(runs, LTE))
    assert {(1, 1), (1, 2), (0, 5), (0, 6)} <= table.best
    assert retime_tables.times(study(runs[:1], LTE)).best == frozenset()


def test_each_target_has_a_table_and_a_name_of_its_own() -> None:
    run = timed_run(of=run_folders.QUESTIONS)
    names = [table.name for table in retime_tables.all_times(study([run], LTE))]
    assert names == ["retimed-times", "retimed-times-f1"]


def test_crossovers_tell_the_rate_and_who_is_faster_above_it() -> None:
    goal = goal_of([timed_run("fedft"), timed_run("federa")])
    found = {0.95: (Crossover(143.25e6, 90.0, "FedFT", "FeDeRA"),), 0.9: ()}
    table = retime_tables.crossover_table(goal, found)
    assert table.rows == (("FedFT", "FeDeRA", "95 %", "143.2", "90.0"),)
    assert table.records[0]["rate_mbps"] == 143.25
    assert retime_tables.crossover_table(goal, {0.9: ()}).rows == ()


def test_seconds_of_a_round_recorded_and_retimed() -> None:
    made = study([timed_run("federa")], LTE, SLOW)
    (record,) = retime_tables.round_seconds(made).records
    assert (record["recorded_train_s"], record["retimed_train_s"]) == (2.5, 7.5)
    assert record["retimed_communication_s"] == pytest.approx(2 * (0.08 + STATE_BYTES * 8 / 5e6))
    assert record["retimed_init_s"] == pytest.approx(0.25 + 0.08 + STATE_BYTES * 8 / 5e6)


def test_a_run_without_rounds_has_no_seconds() -> None:
    (row,) = retime_tables.round_seconds(study([timed_run(metrics=())], LTE)).rows
    assert row[1:7] == ("n/a",) * 6


def test_every_table_has_every_form() -> None:
    table = retime_tables.times(study([timed_run("federa", of=timed_runs.experiment())], LTE))
    assert "| FeDeRA |" in to_markdown(table)
    assert "\\begin{tabular}{lrrrrrrr}" in to_latex(table)
