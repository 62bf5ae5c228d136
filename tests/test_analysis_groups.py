"""Runs that differ by their seed alone are one group, with a name that tells it from others."""

from __future__ import annotations

from run_folders import experiment, run

from analysis.groups import groups_of, marks_words, seeds_shown


def test_seeds_of_a_method_are_one_group() -> None:
    made = [run(method=method, seed=seed) for method in ("fedlr", "federa") for seed in range(3)]
    groups = groups_of(made)
    assert [(group.label, len(group.runs), group.places) for group in groups] == [
        ("FedLR", 3, (0, 1, 2)),
        ("FeDeRA", 3, (3, 4, 5)),
    ]
    assert seeds_shown(made)
    assert seeds_shown(made[:2])
    assert not seeds_shown(made[::3])


def test_what_the_seeds_of_a_profile_are_does_not_part_its_runs() -> None:
    made = [run(), run(seed=1, of=experiment(seeds={"cohort": 1, "training": 1}))]
    assert [group.label for group in groups_of(made)] == ["FeDeRA"]


def test_profiles_of_one_method_are_named_by_what_differs() -> None:
    made = [run(of=experiment(partition={"alpha": alpha})) for alpha in (0.1, 1.0)]
    assert [group.label for group in groups_of([*made, run(method="fedlr")])] == [
        "FeDeRA alpha 0.1",
        "FeDeRA alpha 1",
        "FedLR alpha 0.1",
    ]


def test_a_name_says_nothing_of_seeds() -> None:
    made = [run(seed=seed, of=experiment(partition={"alpha": alpha})) for alpha in (0.1, 1.0) for seed in range(2)]
    assert [group.label for group in groups_of(made)] == ["FeDeRA alpha 0.1", "FeDeRA alpha 1"]


def test_settings_of_a_method_count_up_and_say_what_they_are() -> None:
    made = [
        run(method=method, of=experiment(partition={"alpha": a})) for method in ("fedlr", "federa") for a in (0.1, 1.0)
    ]
    groups = groups_of([*made, run(method="fedap")])
    assert [group.variant for group in groups] == [0, 1, 0, 1, 0]
    assert groups[1].meta == {"method": "fedlr", "setting": "FedLR alpha 1"}
    assert groups[4].meta == {"method": "fedap"}
    assert marks_words(groups) == (
        "Marks: filled for FedLR alpha 0.1 and FeDeRA alpha 0.1; open for FedLR alpha 1 and FeDeRA alpha 1."
    )
    assert marks_words(groups_of(made[:1])) == ""


def test_runs_may_differ_in_keys_that_are_named() -> None:
    made = [run(seed=seed, of=experiment(partition={"alpha": alpha})) for alpha in (0.1, 1.0) for seed in range(2)]
    (group,) = groups_of(made, but=("partition.alpha",))
    assert (group.label, len(group.runs), group.setting) == ("FeDeRA", 4, "")
