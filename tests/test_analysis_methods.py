"""What a method's settings are in words, and who is a reference."""

from __future__ import annotations

import aggregation_runs
import pytest
from run_folders import demo

from analysis import methods, stats
from harness.profiles import FraProfile, MethodProfile, PrivacyProfile, ServerProfile


def words(method: str, settings: MethodProfile) -> str:
    return methods.settings_words(aggregation_runs.run(method, rounds=1, settings=settings))


def test_defaults_need_no_words() -> None:
    assert all(words(method, MethodProfile()) == "" for method in aggregation_runs.LOOKS)


@pytest.mark.parametrize(
    ("method", "settings", "said"),
    [
        ("fra", MethodProfile(fra=FraProfile(residual="fold", split="into-b")), "split into-b, residual folded"),
        ("fra", MethodProfile(fra=FraProfile(aggregate="increment", route="qr")), "increments, route qr"),
        ("fra-ffa", MethodProfile(switch_round=7), "FRA until round 7"),
        ("slora", MethodProfile(switch_round=3, density=0.1), "sparse until round 3, density 0.1"),
        ("hetlora", MethodProfile(ranks=(8, 32)), "ranks 8/32"),
        ("lora-fair", MethodProfile(fair_weight=0.5), "lambda 0.5"),
        (
            "fedlr",
            MethodProfile(prox=0.01, server=ServerProfile(optimiser="yogi", lr=0.1)),
            "FedYogi lr 0.1, FedProx 0.01",
        ),
        ("fedlr", MethodProfile(scaffold=True), "SCAFFOLD (adapted)"),
        ("ffa", MethodProfile(privacy=PrivacyProfile(kind="server", clip=0.5)), "server noise 1 clip 0.5"),
    ],
)
def test_what_is_not_the_default_is_said_in_the_field_s_words(method: str, settings: MethodProfile, said: str) -> None:
    assert words(method, settings) == said


def test_the_start_has_a_place_of_its_own() -> None:
    began = aggregation_runs.run("fra", rounds=1, settings=MethodProfile(initialisation="federa"))
    assert (methods.start_words(began), methods.settings_words(began)) == ("FeDeRA's", "")
    starts = {
        method: methods.start_words(aggregation_runs.run(method, rounds=1)) for method in ("fedlr", "federa", "fedft")
    }
    assert starts == {"fedlr": "Gaussian", "federa": "FeDeRA's", "fedft": "none"}


def test_settings_tell_runs_of_a_method_apart_and_the_usual_one_keeps_its_short_name() -> None:
    made = [
        aggregation_runs.run("fra", rounds=1),
        aggregation_runs.run("fra", rounds=1, settings=MethodProfile(initialisation="federa")),
        *(
            aggregation_runs.run("fra", rounds=1, privacy=PrivacyProfile(kind="dp-sgd", noise_multiplier=n))
            for n in (10, 2)
        ),
        aggregation_runs.run("fedlr", rounds=1),
    ]
    assert stats.labels(stats.in_order(made)) == (
        "FedLR",
        "FRA-LoRA",
        "FRA-LoRA DP-SGD noise 2",
        "FRA-LoRA DP-SGD noise 10",
        "FRA-LoRA FeDeRA's start",
    )


def test_what_must_not_be_overlooked_stands_in_the_name() -> None:
    made = [
        aggregation_runs.run("fedlr", rounds=1, settings=MethodProfile(scaffold=True)),
        aggregation_runs.run("fedsa", rounds=1),
        aggregation_runs.run("central", rounds=1),
    ]
    assert stats.labels(made) == ("FedLR SCAFFOLD (adapted)", "FedSA-LoRA (personal)", "Centralised (reference)")


def test_references_are_no_rivals_unless_nobody_else_is_there() -> None:
    central, fra, ffa = (aggregation_runs.run(method, rounds=1) for method in ("central", "fra", "ffa"))
    assert methods.contenders([fra, central]) == (fra,)
    assert methods.contenders([central]) == (central,)
    assert methods.fleets([central]) == ()
    assert methods.ranked_places([fra, central, ffa]) == (0, 2)
    assert methods.ranked_places([fra, central]) == ()


def test_a_run_of_old_is_about_no_aggregation() -> None:
    assert not any(methods.aggregates(demo(method, rounds=1)) for method in ("fedft", "fedlr", "federa"))
    asked = MethodProfile(prox=0.1), MethodProfile(scaffold=True), MethodProfile(server=ServerProfile(optimiser="avgm"))
    assert all(methods.aggregates(aggregation_runs.run("fedlr", rounds=1, settings=own)) for own in asked)
    assert all(methods.aggregates(aggregation_runs.run(method, rounds=1)) for method in ("ffa", "central"))
