"""The first sentences of a report, its tiles and its ranking."""

from __future__ import annotations

import aggregation_runs
import msgspec
from run_folders import QUESTIONS, demo, experiment, run

from analysis import summary
from analysis.front import front_of
from analysis.load import Run


def test_one_run_says_when_it_reached_the_highest_fraction_it_reached() -> None:
    assert summary.headline([run()]) == "FeDeRA reached 99 % of accuracy 0.8 after 16.0 s, in round 4."
    assert summary.headline([run((0.5, 0.77))]) == "FeDeRA reached 95 % of accuracy 0.8 after 8.00 s, in round 2."


def test_each_target_has_its_sentence_and_its_tiles() -> None:
    runs = [demo("federa", of=QUESTIONS)]
    assert summary.headline(runs, 0).startswith("FeDeRA reached 99 % of exact match 0.65 after")
    assert summary.headline(runs, 1).startswith("FeDeRA reached 99 % of F1 0.8 after")
    assert summary.tiles(runs, 1)[0].fraction == "90 % of F1 0.8"


def test_the_fastest_is_compared_with_each_other_and_who_did_not_get_there_is_said() -> None:
    runs = [run((0.1, 0.1, 0.8), method="fedft"), run((0.1, 0.1), method="fedbf"), run((0.1, 0.8))]
    assert summary.headline(runs) == (
        "FeDeRA reached 99 % of accuracy 0.8 first, after 8.0 s, in round 2: 1.5 times as fast as FedFT (12.0 s). "
        "FedBF did not reach it."
    )
    assert summary.price(runs) == "Until then FeDeRA's clients received and sent 4.00 kB (FedFT's 6.00 kB)."


def test_over_seeds_the_sentence_says_so_and_names_whose_runs_got_there_in_part() -> None:
    fast = [run((0.1, 0.8), seed=seed) for seed in range(3)]
    part = [run((0.1, 0.8 if seed == 0 else 0.2), method="fedlr", seed=seed) for seed in range(3)]
    assert summary.headline([*part, *fast]) == (
        "FeDeRA reached 99 % of accuracy 0.8 first, after 8.00 s, the median of 3 runs. FedLR did in 1 of 3 runs."
    )


def test_times_of_different_clocks_are_not_divided() -> None:
    runs = [run((0.1, 0.8)), run((0.1, 0.1, 0.8), method="fedlr", clock="wall")]
    assert summary.headline(runs).endswith("in round 2; then FedLR (12.0 s).")
    assert [each.behind for each in summary.standings(runs)] == ["fastest", "later"]


def test_no_run_at_any_target_is_said_as_it_is() -> None:
    assert summary.headline([run((0.1,))]) == "FeDeRA did not reach 90 % of accuracy 0.8."
    both = [run((0.1,)), run((), method="fedlr")]
    assert summary.headline(both) == "None of 2 runs reached 90 % of accuracy 0.8."
    assert (summary.price(both), summary.standings(both), summary.standings_of(both)) == ("", (), "")


def test_a_run_that_trained_nothing_is_not_said_to_have_missed_its_target() -> None:
    null = [run((None,), of=experiment(train={"trainer": "null"}))]
    assert summary.headline(null) == "Nothing was trained: the null trainer measures the harness itself."
    assert summary.tiles(null) == ()


def test_a_few_runs_of_a_method_are_not_the_method() -> None:
    seeds = [run((0.8,) if seed == 0 else (0.1,), seed=seed) for seed in range(4)]
    assert summary.headline(seeds) == (
        "No method reached 90 % of accuracy 0.8 in more than half of its runs: 1 of 4 runs of FeDeRA did."
    )


def test_a_tile_shows_the_fastest_run_its_price_and_its_lead_or_a_dash() -> None:
    first, _, last = summary.tiles([run((0.5, 0.73)), run((0.74,), method="fedlr")])
    assert (first.time, first.who, first.detail) == ("4.00 s", "FedLR", "round 1 \N{MIDDLE DOT} 2.00 kB")
    assert first.against == "2.0 times as fast as FeDeRA; 2 of 2 got there"
    assert (last.time, last.who, last.method) == ("-", "not reached", "")


def test_the_ranking_is_by_time_with_bars_prices_and_distances() -> None:
    runs = [run((0.1, 0.1, 0.8), method="fedft"), run((0.1, 0.3), method="fedbf"), run((0.1, 0.8))]
    found = summary.standings(runs)
    assert [(each.label, each.time, each.behind) for each in found] == [
        ("FeDeRA", "8.0 s", "fastest"),
        ("FedFT", "12.0 s", "1.5 \N{MULTIPLICATION SIGN} the time"),
        ("FedBF", "-", "not reached"),
    ]
    assert [round(each.share, 3) for each in found] == [0.667, 1.0, 0.0]
    assert [each.payload for each in found] == ["4.00 kB", "6.00 kB", ""]
    assert found[2].detail == "best 0.3000"
    assert summary.standings_of(runs) == "99 % of accuracy 0.8"
    assert summary.standings(runs[:1]) == ()


def test_joules_stand_beside_bytes_where_they_were_recorded() -> None:
    runs = []
    for method, joules in (("fedlr", 900.0), ("federa", 400.0)):
        made = run((0.1, 0.8), method=method)
        rounds = tuple(msgspec.structs.replace(record, energy_j=joules) for record in made.rounds)
        runs.append(Run(made.header, rounds, (), made.path))
    assert [each.energy for each in summary.standings(runs)] == ["1.80 kJ", "800 J"]
    assert summary.price(runs[1:]) == "Until then FeDeRA's clients received and sent 4.00 kB, and spent 800 J."
    assert summary.tiles(runs[1:])[0].detail.endswith("800 J")


def test_a_reference_is_not_ranked_and_alone_it_has_no_price() -> None:
    fra, central = aggregation_runs.run("fra"), aggregation_runs.run("central")
    (part,) = front_of([fra, central], ()).goals
    assert part.headline == "FRA-LoRA reached 99 % of accuracy 0.8 after 28.0 s, in round 7."
    assert {tile.who for tile in part.tiles} == {"FRA-LoRA"}
    (alone,) = front_of([central], ()).goals
    assert alone.headline.startswith("Centralised (reference) reached 99 %")
    assert alone.price == ""
    assert [tile.detail for tile in alone.tiles] == ["round 3", "round 4", "round 5"]
