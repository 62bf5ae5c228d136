"""What has to be said of methods whose numbers are not what they seem."""

from __future__ import annotations

import aggregation_runs
import pytest

from analysis.load import Run
from analysis.warnings import cautions
from harness.profiles import MethodProfile, PrivacyProfile


def kinds(*runs: Run) -> dict[str, str]:
    return {caution.kind: caution.text for caution in cautions(runs)}


def test_personal_metrics_adaptations_and_references_are_said() -> None:
    adapted = aggregation_runs.run("fedlr", settings=MethodProfile(scaffold=True))
    found = kinds(aggregation_runs.run("fedsa"), adapted, aggregation_runs.run("central"))
    assert "there is no global model" in found["personal models"]
    assert found["adapted"].startswith("FedLR SCAFFOLD (adapted): SCAFFOLD's correction is added")
    assert "it is not ranked" in found["reference"]


def test_an_epsilon_that_is_not_exact_is_a_warning() -> None:
    server = PrivacyProfile(kind="server")
    assert "drawing each client by chance" in kinds(aggregation_runs.run("fra", privacy=server, exact=False))["epsilon"]
    assert "epsilon" not in kinds(aggregation_runs.run("fra", privacy=server))


def test_clipping_without_noise_is_no_privacy() -> None:
    bare = MethodProfile(privacy=PrivacyProfile(kind="dp-sgd", noise_multiplier=0))
    assert "there is no epsilon" in kinds(aggregation_runs.run("fra", settings=bare))["epsilon"]


@pytest.mark.parametrize(("method", "said"), [("slora", "sparse"), ("fra-ffa", "FRA")])
def test_a_method_that_never_left_its_first_stage_says_so(method: str, said: str) -> None:
    settings = MethodProfile(switch_round=5)
    found = kinds(aggregation_runs.run(method, rounds=5, settings=settings))
    assert said in found["first stage"]
    assert "first stage" not in kinds(aggregation_runs.run(method, rounds=6, settings=settings))
    assert "first stage" not in kinds(aggregation_runs.run("fra", rounds=3))


def test_the_clock_of_a_reference_is_not_compared() -> None:
    fra, central = aggregation_runs.run("fra"), aggregation_runs.run("central")
    assert fra.header.clock != central.header.clock
    assert "clocks" not in kinds(fra, central)
