"""Who was first, and what it cost: over seeds the median, where a run that never got there counts as never."""

from __future__ import annotations

import msgspec
import pytest
from run_folders import round_record, run

from analysis.load import Run
from analysis.ranking import highest_reached, ranking, times_as_fast

SLOW, FAST, NEVER = (0.1, 0.1, 0.8), (0.8,), (0.1, 0.1)


def test_the_fastest_is_first_and_who_never_got_there_last() -> None:
    found = ranking([run(NEVER, method="fedft"), run(SLOW, method="fedlr"), run(FAST)], 0, 0.9)
    assert [(each.label, each.time_s, each.round) for each in found] == [
        ("FeDeRA", 4.0, 1),
        ("FedLR", 12.0, 3),
        ("FedFT", None, None),
    ]
    assert times_as_fast(found[0], found[1]) == 3.0
    assert times_as_fast(found[0], found[2]) is None


def test_of_those_who_never_got_there_the_best_is_first() -> None:
    never = [run((best,), method=method) for method, best in (("fedft", 0.2), ("fedlr", 0.5), ("federa", 0.3))]
    assert [each.label for each in ranking(never, 0, 0.9)] == ["FedLR", "FeDeRA", "FedFT"]


def test_who_took_no_time_is_not_so_many_times_as_fast() -> None:
    made = run(FAST)
    at_once = Run(made.header, (round_record(1, 0.8, elapsed_s=0.0),), (), made.path)
    first, other = ranking([at_once, run(SLOW, method="fedlr")], 0, 0.9)
    assert times_as_fast(first, other) is None


def test_over_seeds_a_group_has_the_median_of_its_runs() -> None:
    (found,) = ranking([run(metrics, seed=seed) for seed, metrics in enumerate((FAST, SLOW, NEVER))], 0, 0.9)
    assert (found.time_s, found.payload_bytes, found.reached, found.runs) == (12.0, 6000, 2, 3)


def test_a_group_of_which_half_never_got_there_has_no_time() -> None:
    (found,) = ranking([run(FAST), run(NEVER, seed=1)], 0, 0.9)
    assert (found.time_s, found.reached) == (None, 1)


def test_energy_is_that_of_all_rounds_until_then_and_none_where_a_round_has_none() -> None:
    made = run()
    rounds = tuple(round_record(n, metric, energy_j=10.0) for n, metric in enumerate((0.1, 0.8, 0.8), start=1))
    assert ranking([Run(made.header, rounds, (), made.path)], 0, 0.9)[0].energy_j == 20.0
    torn = (msgspec.structs.replace(rounds[0], energy_j=None), *rounds[1:])
    assert ranking([Run(made.header, torn, (), made.path)], 0, 0.9)[0].energy_j is None


@pytest.mark.parametrize(("metrics", "fraction"), [((0.5, 0.73), 0.9), ((0.77,), 0.95), ((0.8,), 0.99), ((0.1,), None)])
def test_the_highest_fraction_is_one_that_somebody_reached(metrics: tuple[float, ...], fraction: float | None) -> None:
    assert highest_reached([run(metrics), run(NEVER, method="fedlr")], 0) == fraction
