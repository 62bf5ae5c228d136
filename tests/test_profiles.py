from __future__ import annotations

from typing import Any

import msgspec
import pytest

from harness.errors import ProfileError
from harness.profiles import METHODS, Experiment, LinkProfile, Method, build, fingerprint

PARTS: dict[str, Any] = {part: {"name": "x"} for part in ("model", "dataset", "device", "link")}
LEAST: dict[str, Any] = {"name": "least", "description": "The least an experiment has.", **PARTS}


def complaint(**keys: object) -> str:
    with pytest.raises(ProfileError) as caught:
        build({**LEAST, **keys}, "some.yaml")
    return str(caught.value)


def test_the_least_experiment_has_defaults_for_the_rest() -> None:
    experiment = build(LEAST, "some.yaml")
    assert (experiment.partition.clients, experiment.rounds.clients_per_round) == (100, 10)
    assert experiment.target.fractions == (0.90, 0.95, 0.99)


def test_a_method_without_settings_has_the_defaults() -> None:
    experiment = build({**LEAST, "methods": {"federa": {"lr": 1e-4}}}, "some.yaml")
    assert experiment.method("federa").lr == 1e-4
    assert experiment.method("fedlr").lr == 5e-4


def test_the_methods_of_the_type_are_those_of_the_list() -> None:
    for name in METHODS:
        assert msgspec.convert(name, Method) == name


def test_a_resolved_profile_survives_a_header() -> None:
    experiment = build({**LEAST, "methods": {"federa": {"rank": 4}}}, "some.yaml")
    again = build(msgspec.json.decode(msgspec.json.encode(experiment)), "header.json")
    assert again == experiment


def test_the_fingerprint_knows_values_and_not_the_order_of_keys() -> None:
    experiment = build(LEAST, "some.yaml")
    assert fingerprint(build(dict(reversed(LEAST.items())), "other.yaml")) == fingerprint(experiment)
    assert fingerprint(build({**LEAST, "rounds": {"count": 31}}, "some.yaml")) != fingerprint(experiment)


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"rounds": {"count": 0}}, "key 'rounds.count' is 0; allowed is a whole number of at least 1"),
        ({"rounds": {"count": 1.5}}, "key 'rounds.count' is 1.5; allowed is a whole number of at least 1"),
        ({"rounds": {"count": True}}, "key 'rounds.count' is true; allowed is a whole number of at least 1"),
        ({"rounds": {"quorum": 1.01}}, "key 'rounds.quorum' is 1.01; allowed is a number above 0 and of at most 1"),
        ({"rounds": 3}, "key 'rounds' is 3; allowed is a group of the keys count, clients_per_round, "),
        ({"train": {"precision": "fp8"}}, "key 'train.precision' is \"fp8\"; allowed is one of: bf16, fp32"),
        ({"train": {"trainer": None}}, "key 'train.trainer' is null; allowed is one of: null, torch; write it as"),
        ({"train": {"max_length": 4}}, "key 'train.max_length' is 4; allowed is a whole number of at least 8 and of"),
        (
            {"methods": {"fedra": {}}},
            "key 'methods.fedra' is unknown; did you mean 'federa'? known here: central, fedap, ",
        ),
        ({"methods": {"federa": {"lr": "high"}}}, "key 'methods.federa.lr' is \"high\"; allowed is a number above 0"),
        ({"methods": {"federa": {"rnk": 1}}}, "key 'methods.federa.rnk' is unknown; did you mean 'rank'?"),
        (
            {"methods": [1]},
            "key 'methods' is [1]; allowed is a group of the keys central, fedap, fedbf, federa, fedex, ",
        ),
        ({"target": {"fractions": [0.9, 2]}}, "key 'target.fractions[1]' is 2; allowed is a number"),
        ({"evaluate": {"sample": 0}}, "key 'evaluate.sample' is 0; allowed is a whole number of at least 1 or null"),
        ({"seeds": {"link": 2**32}}, "key 'seeds.link' is 4294967296; allowed is a whole number of at least 0 and be"),
        ({"name": "a b"}, "key 'name' is \"a b\"; allowed is text of at most 64 characters that matches"),
        ({"description": 3}, "key 'description' is 3; allowed is text"),
        ({"model": {}}, "key 'model.name' is missing; allowed is text"),
        ({"colour": "red"}, "key 'colour' is unknown; known here: agents, dataset, "),
        ({"partition": {"clients": 3}}, "rounds.clients_per_round is 10, more than the 3 of partition.clients"),
        (
            {"link": {"name": "l", "rate_min_mbps": 1}},
            "key 'link' does not hold together: rate_min_mbps and rate_max_mbps are given together or not at all",
        ),
        (
            {"agents": {"heartbeat_s": 10}},
            "key 'agents' does not hold together: lost_after_s must be longer than heartbeat_s",
        ),
    ],
)
def test_a_wrong_key_or_value_is_named_with_what_is_allowed(keys: dict[str, object], sentence: str) -> None:
    assert complaint(**keys).startswith(f"some.yaml: {sentence}")


def test_a_long_value_is_cut() -> None:
    assert len(complaint(rounds={"count": "x" * 1000})) < 160


def test_an_experiment_without_a_link_says_so() -> None:
    least = {key: value for key, value in LEAST.items() if key != "link"}
    with pytest.raises(
        ProfileError, match=r"^some\.yaml: key 'link' is missing; allowed is a group of the keys rate_mbps"
    ):
        build(least, "some.yaml")


@pytest.mark.parametrize(
    ("rates", "sentence"),
    [
        ({"rate_mbps": 1, "rate_min_mbps": 1, "rate_max_mbps": 2}, "give one of rate_mbps, rate_min_mbps with"),
        ({"rate_min_mbps": 3, "rate_max_mbps": 2}, "rate_min_mbps 3 is above rate_max_mbps 2"),
    ],
)
def test_a_link_s_rates_must_agree(rates: dict[str, float], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        LinkProfile(name="l", **rates)


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"kind": "class-shares"}, "shares belong to kind class-shares, and that kind needs them"),
        ({"shares": [[0.5, 0.5]] * 10, "clients": 10}, "shares belong to kind class-shares"),
        ({"kind": "class-shares", "clients": 10, "shares": [[1]] * 9}, "shares has 9 rows for 10 clients"),
        (
            {"kind": "class-shares", "clients": 10, "shares": [[0.5, 0.4]] * 10},
            "shares of client 0 sum to 0.9; they must sum to 1",
        ),
    ],
)
def test_class_shares_must_hold_together(keys: dict[str, object], sentence: str) -> None:
    assert complaint(partition=keys).startswith(f"some.yaml: key 'partition' does not hold together: {sentence}")


def test_profiles_are_frozen() -> None:
    experiment = build(LEAST, "some.yaml")
    with pytest.raises(AttributeError):
        experiment.name = "other"  # type: ignore[misc]
    assert isinstance(experiment, Experiment)
