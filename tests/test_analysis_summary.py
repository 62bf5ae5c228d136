"""The first sentence of a report."""

from __future__ import annotations

from run_folders import QUESTIONS, demo, run

from analysis import summary


def test_one_run_says_when_it_reached_the_highest_fraction_it_reached() -> None:
    assert summary.headline([run()]) == "FeDeRA reached 99 % of accuracy 0.8 after 16.0 s, in round 4."
    assert summary.headline([run((0.5, 0.77))]) == "FeDeRA reached 95 % of accuracy 0.8 after 8.00 s, in round 2."


def test_each_target_has_its_sentence_and_its_tiles() -> None:
    runs = [demo("federa", of=QUESTIONS)]
    assert summary.headline(runs, 0).startswith("FeDeRA reached 99 % of exact match 0.65 after")
    assert summary.headline(runs, 1).startswith("FeDeRA reached 99 % of F1 0.8 after")
    assert summary.tiles(runs, 1)[0].fraction == "90 % of F1 0.8"


def test_several_runs_are_named_fastest_first_and_who_did_not_is_said() -> None:
    runs = [run((0.1, 0.1, 0.8), method="fedft"), run((0.1, 0.1), method="fedbf"), run((0.1, 0.8))]
    assert summary.headline(runs) == (
        "FeDeRA reached 99 % of accuracy 0.8 first, after 8.0 s, in round 2; "
        "FedFT after 12.0 s; FedBF did not reach it."
    )


def test_no_run_at_any_target_is_said_as_it_is() -> None:
    assert summary.headline([run((0.1,))]) == "FeDeRA did not reach 90 % of accuracy 0.8."
    both = [run((0.1,)), run((), method="fedlr")]
    assert summary.headline(both) == "None of 2 runs reached 90 % of accuracy 0.8."


def test_a_tile_shows_the_fastest_run_or_a_dash() -> None:
    first, _, last = summary.tiles([run((0.5, 0.73)), run((0.74,), method="fedlr")])
    assert (first.time, first.who, first.detail) == ("4.00 s", "FedLR", "round 1 · 2 of 2 runs got there")
    assert (last.time, last.who, last.method) == ("-", "not reached", "")


def test_settings_stand_side_by_side_where_runs_differ() -> None:
    runs = [run(), run(method="fedlr")]
    found = summary.settings(runs, [{"cores": 2, "os": {"name": None}}, {"cores": 4, "os": {"name": None}}])
    assert [(s.key, s.values, s.differs) for s in found] == [
        ("cores", ("FeDeRA: 2", "FedLR: 4"), True),
        ("os.name", ("none",), False),
    ]
