"""The metrics of the clients' own models."""

from __future__ import annotations

import aggregation_runs
import msgspec
import pytest
from run_folders import demo, run

from analysis.aggregation.own import WINDOW, clients_of, curve_of, own_figure, own_table, rolling
from analysis.load import Run


def test_a_rolling_mean_is_that_of_the_last_values_and_of_as_many_as_there_are_in_the_beginning() -> None:
    curve = {float(at): float(at) for at in range(1, 11)}
    mean = rolling(curve)
    assert (mean[1.0], mean[2.0], mean[7.0], mean[10.0]) == (1.0, 1.5, 4.0, 7.0)
    assert rolling({3.0: 1.0, 9.0: 0.0, 6.0: 0.5}, window=2) == {3.0: 1.0, 6.0: 0.75, 9.0: 0.25}
    assert rolling({}) == {}


def test_clients_are_those_whose_own_models_were_evaluated() -> None:
    assert clients_of([aggregation_runs.run("fra"), aggregation_runs.run("central")]) == (0, 1, 2)
    assert clients_of([aggregation_runs.run("central"), demo("fedlr", rounds=2)]) == ()


def test_a_client_that_was_not_in_a_round_has_no_value_there() -> None:
    made = aggregation_runs.run("fra", rounds=2)
    away = msgspec.structs.replace(made.rounds[0], client_metrics={0: {"accuracy": 0.5}})
    partly = Run(made.header, (away, made.rounds[1]), made.clients, made.path)
    assert [*curve_of(partly, 0, "accuracy")] == [1.0, 2.0]
    assert [*curve_of(partly, 1, "accuracy")] == [2.0]


def test_a_chart_has_the_values_thin_and_their_rolling_mean_thick() -> None:
    made = aggregation_runs.run("fra")
    thin, thick = own_figure([made], 1).data
    assert thin.line.width < thick.line.width
    assert list(thin.y) == [record.client_metrics[1]["accuracy"] for record in made.rounds]
    assert thick.y[-1] == pytest.approx(sum(thin.y[-WINDOW:]) / WINDOW)
    assert thin.showlegend is False


def test_seeds_are_thin_lines_around_the_rolling_mean_of_their_mean() -> None:
    runs = [aggregation_runs.run("fra", seed=seed) for seed in range(3)]
    *thin, thick = own_figure(runs, 0).data
    assert len(thin) == 3
    assert thick.y[0] == pytest.approx(sum(trace.y[0] for trace in thin) / 3)


def test_the_reference_is_in_every_chart_with_its_one_model() -> None:
    made = [aggregation_runs.run("fra"), aggregation_runs.run("central")]
    for client in range(3):
        traces = own_figure(made, client).data
        assert [trace.meta["method"] for trace in traces] == ["fra", "fra", "central", "central"]
        assert list(traces[2].y) == [record.metrics["accuracy"] for record in made[1].rounds]


def test_the_charts_of_all_clients_have_one_range() -> None:
    made = [aggregation_runs.run("fra")]
    ranges = {own_figure(made, client).layout.yaxis.range for client in range(3)}
    assert len(ranges) == 1
    (low, high) = ranges.pop()
    every = [values["accuracy"] for record in made[0].rounds for values in record.client_metrics.values()]
    assert low < min(every) < max(every) < high


def test_the_table_says_where_each_client_ended_and_how_far_they_are_apart() -> None:
    made = [aggregation_runs.run("fra"), aggregation_runs.run("central"), aggregation_runs.run("fedlr", own=False)]
    table = own_table(made)
    ends = [rolling(curve_of(made[0], client, "accuracy"))[20.0] for client in range(3)]
    (row,) = table.rows
    assert row == (
        "FRA-LoRA",
        *(f"{v:.4f}" for v in (sum(ends) / 3, min(ends), max(ends), max(ends) - min(ends), *ends)),
    )
    assert [(record["client"], record["window"]) for record in table.records] == [(0, 7), (1, 7), (2, 7)]
    assert own_table([run()]).rows == ()
