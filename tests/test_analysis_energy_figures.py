"""Energy drawn: a metric over joules, and what each method spent."""

from __future__ import annotations

import device_runs
import pytest

from analysis import energy, energy_figures


def test_the_metric_stands_over_the_joules_so_far() -> None:
    made = device_runs.run(rounds=3)
    (line,) = energy_figures.metric_by_energy([made]).data
    total = energy.spent(made).devices_j
    assert total is not None
    assert line.x[-1] == pytest.approx(total)
    assert list(line.y) == [record.metrics["accuracy"] for record in made.rounds]


def test_a_line_ends_before_the_first_round_that_was_not_measured() -> None:
    made = device_runs.changed(device_runs.run(rounds=4), [9], energy_j=None, flags=("gap",))
    (line,) = energy_figures.metric_by_energy([made]).data
    assert len(line.x) == 2


def test_devices_and_server_have_rows_of_their_own_and_idle_is_a_part_of_the_devices() -> None:
    made = device_runs.run(rounds=3)
    idle, above, server = energy_figures.energy_by_method([made]).data
    spent = energy.spent(made)
    assert spent.devices_j is not None
    assert spent.server_j is not None
    assert idle.x[0] + above.x[0] == pytest.approx(spent.devices_j / 1000)
    assert server.x[0] == pytest.approx(spent.server_j / 1000)
    assert (idle.y[0], above.y[0], server.y[0]) == ("FeDeRA", "FeDeRA", "FeDeRA, server")


def test_a_group_that_was_not_measured_has_no_bar_and_no_idle_means_no_pale_part() -> None:
    without = device_runs.without_stamps(device_runs.run("fedft", rounds=2))
    plain = device_runs.changed(device_runs.run(rounds=2), range(8), idle_w=None)
    drawn = energy_figures.energy_by_method([without, plain]).data
    assert [(bar.y[0], bar.marker.opacity) for bar in drawn] == [("FeDeRA", 1.0), ("FeDeRA, server", 1.0)]


def test_bars_end_at_the_highest_fraction_that_anyone_reached() -> None:
    made = device_runs.run()
    spent = energy.spent(made, 11)
    drawn = energy_figures.energy_by_method([made]).data
    assert spent.devices_j is not None
    assert drawn[0].x[0] + drawn[1].x[0] == pytest.approx(spent.devices_j / 1000)
    assert energy_figures.energy_caption([made]).startswith("To 99 %")
    assert energy_figures.energy_caption([device_runs.run(rounds=1)]).startswith("In all rounds.")
