"""Which runs a sweep consists of, and what makes two of them the same."""

from __future__ import annotations

import msgspec
import pytest
from run_folders import experiment as made_up
from sweep_stage import RATES, asked, plan, with_seed

from harness.profiles import Experiment, MethodProfile, build
from harness.sweep.plan import Asked, identity_of


def profile(**changes: object) -> Experiment:
    return msgspec.structs.replace(with_seed(0), **changes)


def test_each_method_and_rate_is_validated_and_each_method_tested_with_every_seed() -> None:
    runs = plan().validation()
    assert [(run.method, run.lr, run.seed) for run in runs] == [
        (method, lr, seed) for seed in (0, 1) for method in ("fedlr", "federa") for lr in RATES
    ]
    assert {run.experiment.evaluate.split for run in runs} == {"validation"}
    tests = plan().test({"fedlr": 4e-3, "federa": 1e-3})
    assert [(run.method, run.lr, run.seed) for run in tests] == [
        ("fedlr", 4e-3, 0),
        ("federa", 1e-3, 0),
        ("fedlr", 4e-3, 1),
        ("federa", 1e-3, 1),
    ]
    assert {run.experiment.evaluate.split for run in tests} == {"test"}


def test_a_run_s_profile_has_its_rate_and_its_seed() -> None:
    for run in (*plan().validation(), *plan().test({"fedlr": 4e-3, "federa": 1e-3})):
        assert run.experiment.method(run.method).lr == run.lr
        assert run.experiment.seeds.training == run.seed


def test_the_test_runs_of_a_seed_share_one_profile() -> None:
    of_seed_1 = [run.experiment for run in plan().test({"fedlr": 4e-3, "federa": 1e-3}) if run.seed == 1]
    assert of_seed_1[0] == of_seed_1[1]


def test_tuning_may_have_its_own_seeds_and_rounds() -> None:
    tuned = plan(asked(tune_seeds=(0,), tune_rounds=1))
    assert [(run.seed, run.experiment.rounds.count) for run in tuned.validation()] == [(0, 1)] * 4
    assert {run.experiment.rounds.count for run in tuned.test({"fedlr": 4e-3})} == {2}


def test_one_rate_leaves_nothing_to_tune() -> None:
    assert plan(asked(rates=[1e-3])).validation() == ()
    own = asked(rates=None, experiment=profile(methods={"federa": MethodProfile(lr=0.01)}))
    assert own.lrs == {"fedlr": (MethodProfile().lr,), "federa": (0.01,)}
    assert plan(own).validation() == ()


def test_a_method_without_a_rate_is_not_tested() -> None:
    assert {run.method for run in plan().test({"federa": 1e-3})} == {"federa"}


def test_every_planned_run_is_another_run() -> None:
    runs = (*plan().validation(), *plan().test({"fedlr": 4e-3, "federa": 1e-3}))
    assert len({run.identity for run in runs}) == len(runs) == 12


def test_a_run_is_known_by_its_recorded_profile_whatever_the_rates_of_other_methods() -> None:
    one, other = (
        plan().test(chosen)[1] for chosen in ({"fedlr": 4e-3, "federa": 1e-3}, {"fedlr": 1e-3, "federa": 1e-3})
    )
    recorded = msgspec.json.decode(msgspec.json.encode(one.experiment))
    assert identity_of(build(recorded, "a header"), "federa") == one.identity == other.identity
    assert identity_of(one.experiment, "fedlr") != identity_of(other.experiment, "fedlr")


def test_the_same_sweep_has_the_same_id_whatever_the_order_of_its_words() -> None:
    assert asked(methods=("federa", "fedlr")).sweep_id == asked().sweep_id
    assert asked().sweep_id.startswith("made-up-sweep-")


@pytest.mark.parametrize(
    "other",
    [
        asked(methods=("federa",)),
        asked(rates=(4e-3, 5e-4)),
        asked(seeds=(0, 2)),
        asked(tune_seeds=(0,)),
        asked(tune_rounds=1),
        asked(data="/another/folder"),
        asked(experiment=made_up(rounds={"count": 3})),
        asked(experiment=made_up(rounds={"count": 2}, partition={"alpha": 1.0})),
    ],
)
def test_another_sweep_has_another_id(other: Asked) -> None:
    assert other.sweep_id != asked().sweep_id


def test_what_the_sweep_varies_does_not_change_its_id() -> None:
    rates = {"fedlr": MethodProfile(lr=0.02), "fedap": MethodProfile(lr=0.03)}
    split = msgspec.structs.replace(with_seed(0).evaluate, split="validation")
    assert asked(experiment=profile(methods=rates, evaluate=split)).sweep_id == asked().sweep_id
    ranks = {"fedlr": MethodProfile(rank=8)}
    assert asked(experiment=profile(methods=ranks)).sweep_id != asked().sweep_id


def test_without_tuning_its_seeds_and_rounds_are_no_part_of_the_id() -> None:
    assert asked(rates=None, tune_seeds=(3,), tune_rounds=9) == asked(rates=None)


def test_what_was_asked_is_written_and_read_strictly() -> None:
    written = msgspec.json.encode(asked())
    assert msgspec.json.decode(written, type=Asked) == asked()
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        msgspec.json.decode(written[:-1] + b',"more":1}', type=Asked)
