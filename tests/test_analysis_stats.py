"""Medians, names and differences."""

from __future__ import annotations

import msgspec
import pytest
from run_folders import client_record, experiment, round_record, run

from analysis import stats
from harness.profiles import Experiment, MethodProfile


def test_communication_is_the_median_of_sums_not_the_sum_of_medians() -> None:
    rounds = [
        round_record(1, download_s=1.0, upload_s=9.0),
        round_record(2, download_s=2.0, upload_s=1.0),
        round_record(3, download_s=9.0, upload_s=2.0),
    ]
    medians = stats.round_medians(rounds)
    assert medians is not None
    assert medians.communication_s == 10.0
    assert stats.round_medians([]) is None


def test_a_trainer_with_a_core_for_each_thread_has_a_share_of_one() -> None:
    assert stats.processor_share([client_record(train_s=2.0, train_cpu_s=4.0)], threads=2) == 1.0
    assert stats.processor_share([client_record(train_s=2.0, train_cpu_s=2.0)], threads=2) == 0.5


def test_warm_up_and_trainings_too_short_to_measure_do_not_speak_of_the_processor_share() -> None:
    warm = client_record(train_s=2.0, train_cpu_s=0.2, warm_up=True)
    short = client_record(train_s=0.001, train_cpu_s=0.0)
    settled = client_record(train_s=2.0, train_cpu_s=2.0)
    assert stats.processor_share([warm, short, settled], threads=1) == 1.0
    assert stats.processor_share([warm, short], threads=1) == pytest.approx(0.1)
    assert stats.processor_share([short], threads=1) is None


def test_a_link_that_was_not_shaped_has_a_rate_but_no_ratio() -> None:
    use = stats.download_use(run(clients=[client_record(download_bps=1e9, link_down_bps=None)]))
    assert (use.achieved_bps, use.link_bps, use.ratio) == (1e9, None, None)


def test_a_small_payload_on_a_perfect_link_is_slowed_by_its_round_trip_alone() -> None:
    far = experiment(link={"latency_s": 0.05})
    small = client_record(download_bytes=125_000, download_bps=1e6 / (0.04 + 0.1))
    assert stats.download_use(run(clients=[small], of=far)).ratio == pytest.approx(1.0)
    assert stats.download_use(run(clients=[small])).ratio == pytest.approx(0.04 / 0.14)


def test_runs_stand_in_the_papers_order_whatever_the_command_said() -> None:
    made = [run(method=method, seed=seed) for method, seed in (("new", 0), ("federa", 1), ("federa", 0), ("fedft", 0))]
    assert [(r.header.method, r.header.seed) for r in stats.in_order(made)] == [
        ("fedft", 0),
        ("federa", 0),
        ("federa", 1),
        ("new", 0),
    ]


def test_settings_are_in_the_order_of_their_numbers() -> None:
    """Whatever their names: alpha-10 comes before alpha-2 by its letters alone."""
    alphas = [run(of=experiment(name=f"alpha-{a:g}", partition={"alpha": a}), seed=s) for s in (1, 0) for a in (10, 2)]
    assert stats.labels(stats.in_order(alphas)) == (
        "FeDeRA alpha 2 seed 0",
        "FeDeRA alpha 2 seed 1",
        "FeDeRA alpha 10 seed 0",
        "FeDeRA alpha 10 seed 1",
    )
    ranks = [
        run(of=msgspec.structs.replace(experiment(), methods={"federa": MethodProfile(rank=rank)}))
        for rank in (32, 128, 3)
    ]
    assert [made.experiment.method("federa").rank for made in stats.in_order(ranks)] == [3, 32, 128]


def test_a_label_says_only_what_is_needed_to_tell_runs_apart() -> None:
    one, two = run(method="federa"), run(method="fedlr")
    assert stats.labels([one, two]) == ("FeDeRA", "FedLR")
    assert stats.labels([one, run(method="federa", seed=1)]) == ("FeDeRA seed 0", "FeDeRA seed 1")
    assert stats.labels([one, run(method="federa", run_id="again")]) == ("FeDeRA (made-up-federa-0)", "FeDeRA (again)")


def with_lr(lr: float) -> Experiment:
    return msgspec.structs.replace(experiment(), methods={"federa": MethodProfile(lr=lr)})


def test_twenty_runs_are_told_apart_by_what_differs() -> None:
    made = [
        run(method=method, seed=seed, of=experiment(partition={"alpha": alpha}))
        for method in ("fedlr", "federa")
        for alpha in (0.1, 1.0)
        for seed in range(5)
    ]
    names = stats.labels(made)
    assert len(set(names)) == 20
    assert names[12] == "FeDeRA alpha 0.1 seed 2"


def test_learning_rates_are_named_where_a_method_has_several() -> None:
    made = [run(method="federa", of=with_lr(1e-3)), run(method="federa", of=with_lr(5e-5)), run(method="fedlr")]
    assert stats.labels(made) == ("FeDeRA lr 1e-3", "FeDeRA lr 5e-5", "FedLR lr 5e-4")


def test_another_data_set_is_named_without_all_that_comes_with_it() -> None:
    other = experiment(dataset={"name": "questions"}, target={"value": 0.5}, train={"max_length": 64}, name="other")
    assert stats.labels([run(), run(of=other)]) == ("FeDeRA topics", "FeDeRA questions")


def test_what_has_no_word_goes_by_its_key_and_the_run_id_comes_last() -> None:
    made = [run(of=experiment(train={"epochs": epochs}), run_id=f"run-{epochs}") for epochs in (1, 2)]
    assert stats.labels(made) == ("FeDeRA train.epochs 1", "FeDeRA train.epochs 2")
    again = [*made, run(of=experiment(train={"epochs": 2}), run_id="again")]
    assert stats.labels(again)[1:] == ("FeDeRA train.epochs 2 (run-2)", "FeDeRA train.epochs 2 (again)")


def test_groups_of_seeds_are_named_without_them() -> None:
    made = [run(of=with_lr(1e-3), seed=4), run(of=with_lr(1e-4), seed=9)]
    assert stats.labels(made, seeds=False) == ("FeDeRA lr 1e-3", "FeDeRA lr 1e-4")


def test_differing_keys_are_paths_and_a_missing_key_differs() -> None:
    one = run(of=experiment()).header.profile
    two = run(of=experiment(target={"value": 0.9}, agents={"count": 4})).header.profile
    assert stats.differing_keys([one, two]) == ("agents.count", "target.value")
    assert stats.differing_keys([{"a": {"b": None}}, {"a": {}}]) == ("a", "a.b")
