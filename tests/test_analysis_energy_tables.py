"""Energy to each fraction of a target, with its reasons where there is none."""

from __future__ import annotations

import csv
import io

import device_runs
import run_folders

from analysis import energy_tables, rendering


def test_each_fraction_has_its_joules_and_the_least_are_marked() -> None:
    table = energy_tables.energy_to_target([device_runs.run("fedft"), device_runs.run("fedlr"), device_runs.run()])
    assert [row[:4] for row in table.rows] == [
        ("FedFT", "4.07 (6)", "4.75 (7)", "6.11 (9)"),
        ("FedLR", "3.50 (12)", "-", "-"),
        ("FeDeRA", "2.39 (8)", "2.70 (9)", "3.31 (11)"),
    ]
    assert table.best == {(2, 1), (2, 2), (2, 3)}
    heads = [column.label for column in table.columns]
    assert heads[4:7] == ["idle, in it, kJ to 99 %", "waiting, not in it, kJ to 99 %", "server, not in it, kJ to 99 %"]
    assert "not measured, because" not in heads


def test_what_was_not_measured_is_empty_with_its_reason_and_makes_nobody_the_best() -> None:
    gap = device_runs.changed(device_runs.run(), [30], energy_j=None, flags=("gap",))
    table = energy_tables.energy_to_target([device_runs.run("fedft"), gap])
    assert table.rows[1][1:4] == ("n/a (8)", "n/a (9)", "n/a (11)")
    assert table.rows[1][-1] == "1 of 32 updates: gap (1)"
    assert table.best == frozenset()


def test_files_tell_what_was_not_reached_from_what_was_not_measured() -> None:
    gap = device_runs.changed(device_runs.run("fedlr"), [0], energy_j=None, flags=("frozen",))
    text = rendering.to_csv(energy_tables.energy_to_target([gap]))
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["to_90_devices_j"], row["to_99_devices_j"], row["to_99_round"]) == ("", "-", "-")
    assert float(row["to_90_server_j"]) > 0
    assert row["not_measured_because"].endswith("frozen (1)")


def test_rails_have_a_row_each_and_are_not_summed() -> None:
    made = device_runs.run(rounds=2)
    table = energy_tables.energy_rails([made])
    assert [row[1] for row in table.rows] == list(device_runs.RAILS)
    assert table.records[0]["update_j"] == float(str(table.records[0]["energy_j"])) / 8
    assert energy_tables.energy_rails([run_folders.run()]).rows == ()


def test_runs_without_a_joule_have_no_table_of_them() -> None:
    assert energy_tables.energies_to_targets([run_folders.run()]) == ()
    assert len(energy_tables.energies_to_targets([device_runs.run(), run_folders.run()])) == 1
