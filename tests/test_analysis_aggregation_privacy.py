"""Accuracy and the epsilon that was spent for it."""

from __future__ import annotations

import aggregation_runs
from run_folders import demo

from analysis.aggregation.privacy import compared, privacy_table
from analysis.aggregation.privacy_figures import privacy_figures
from analysis.load import Run
from harness.profiles import MethodProfile, PrivacyProfile, ServerProfile


def private(method: str, noise: float = 1.0, seed: int = 0) -> Run:
    privacy = PrivacyProfile(kind="dp-sgd", noise_multiplier=noise)
    return aggregation_runs.run(method, seed=seed, privacy=privacy)


def test_a_row_has_epsilon_and_all_that_it_follows_from() -> None:
    (row,) = privacy_table([private("ffa", 2.0)]).rows
    assert row[:3] == ("FFA-LoRA", "5.37", "1e-5")
    assert row[5:] == ("DP-SGD", "2", "1", "0.0400", "500", "RDP")


def test_private_runs_stand_beside_the_same_methods_without_noise_and_no_others() -> None:
    table = privacy_table([aggregation_runs.run("ffa"), private("ffa"), aggregation_runs.run("fra")])
    assert [row[:2] for row in table.rows] == [("FFA-LoRA", "none"), ("FFA-LoRA DP-SGD noise 1", "10.7")]
    assert [record["epsilon"] is None for record in table.records] == [True, False]


def test_what_is_set_otherwise_is_no_level_without_noise() -> None:
    """SCAFFOLD or another rule at the server is more than the same method without noise."""
    plain = aggregation_runs.run("fedlr")
    scaffold = aggregation_runs.run("fedlr", settings=MethodProfile(scaffold=True))
    yogi = aggregation_runs.run("fedlr", settings=MethodProfile(server=ServerProfile(optimiser="yogi")))
    assert compared([plain, scaffold, yogi, noisy := private("fedlr")]) == (plain, noisy)


def test_an_epsilon_of_the_nearest_way_of_drawing_says_so() -> None:
    server = PrivacyProfile(kind="server")
    (row,) = (table := privacy_table([aggregation_runs.run("fra", privacy=server, exact=False)])).rows
    assert row[1].endswith(" (nearest)")
    assert row[5] == "server noise"
    assert "a round draws a fixed number of clients" in table.note
    assert table.records[0]["exact"] == "no"
    assert "nearest" not in privacy_table([private("fra")]).note


def test_without_privacy_there_is_nothing() -> None:
    old = [demo("fedlr", rounds=2), aggregation_runs.run("fra")]
    assert (compared(old), privacy_table(old).rows, privacy_figures(old)) == ((), (), ())


def test_accuracy_is_drawn_against_the_epsilon_spent_so_far_with_the_level_without_noise() -> None:
    made = private("ffa")
    (drawn,) = privacy_figures([aggregation_runs.run("ffa"), made])
    course, level = drawn.figure.data
    spent = [record.privacy.epsilon for record in made.rounds if record.privacy]
    assert list(course.x) == spent
    assert list(course.y) == [record.metrics["accuracy"] for record in made.rounds]
    assert (list(level.x), level.line.dash) == ([min(spent), max(spent)], "dot")
    assert drawn.caption.startswith("Dotted")


def test_a_method_with_several_noises_has_a_line_of_what_they_ended_at() -> None:
    runs = [private(method, noise) for method in ("fedlr", "fra") for noise in (0.5, 1.0, 2.0)]
    _, ends = privacy_figures(runs)
    assert ends.name == "metric-at-epsilon"
    fedlr, fra = ends.figure.data
    assert list(fedlr.x) == list(fra.x) == sorted(fedlr.x)
    assert fedlr.y[0] < fedlr.y[-1]
    assert [trace.meta["method"] for trace in (fedlr, fra)] == ["fedlr", "fra"]


def test_seeds_of_one_noise_are_one_point() -> None:
    runs = [private("fra", noise, seed) for noise in (1.0, 2.0) for seed in range(3)]
    by_round, at_end = privacy_figures(runs)
    assert len(by_round.figure.data) == 6
    assert [len(trace.x) for trace in at_end.figure.data] == [2]


def test_epsilons_of_samples_and_of_clients_are_not_joined() -> None:
    server = aggregation_runs.run("fra", privacy=PrivacyProfile(kind="server", noise_multiplier=3.0))
    runs = [private("fra", 1.0), private("fra", 2.0), server]
    ends = privacy_figures(runs)[1]
    assert [len(trace.x) for trace in ends.figure.data] == [2, 1]
    assert "not the same promise" in privacy_table(runs).note
    assert "not the same promise" not in privacy_table(runs[:2]).note
