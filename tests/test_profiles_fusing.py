"""Which clients may be trained as one batch, and what an experiment says of the others."""

from __future__ import annotations

import msgspec
import pytest
from run_folders import experiment

from harness.errors import ProfileError
from harness.profiles import Experiment, FleetKind, Method, MethodProfile, PrivacyProfile, SimulationProfile
from harness.profiles.fusing import refusal_of

PRIVATE = PrivacyProfile(kind="dp-sgd")


def fused(clients: int, trainer: str = "torch", fleet: FleetKind = "virtual") -> Experiment:
    one = experiment(fleet=fleet, simulation=SimulationProfile(fused_clients=clients))
    return msgspec.structs.replace(one, train=msgspec.structs.replace(one.train, trainer=trainer))


@pytest.mark.parametrize(
    ("method", "settings", "why"),
    [
        ("fedft", MethodProfile(), "no weights in common"),
        ("fedbf", MethodProfile(), "no weights in common"),
        ("fedap", MethodProfile(), "no weights in common"),
        ("slora", MethodProfile(), "first stage trains weights of the encoder"),
        ("fedlr", MethodProfile(privacy=PRIVATE), "the gradient of each sample"),
    ],
)
def test_a_refusal_says_why_and_what_to_do(method: Method, settings: MethodProfile, why: str) -> None:
    refused = refusal_of(method, settings)
    assert refused
    assert why in refused
    assert "set simulation.fused_clients to 1" in refused


def test_low_rank_factors_are_not_refused_whatever_the_server_does() -> None:
    assert refusal_of("federa", MethodProfile(privacy=PrivacyProfile(kind="server"))) is None
    assert refusal_of("hetlora", MethodProfile(ranks=(32, 8))) is None


def test_an_experiment_is_checked_where_clients_would_be_fused() -> None:
    with pytest.raises(ProfileError, match=r"simulation\.fused_clients is 4: fedft trains tensors of its own"):
        fused(4).check("fedft")
    fused(4).check("fedlr")
    fused(1).check("fedft")
    fused(4, trainer="null").check("fedft")
    fused(4, fleet="ray").check("fedlr")


def test_agents_train_one_client_at_a_time_and_are_not_asked_for_more() -> None:
    with pytest.raises(ProfileError, match=r"simulation\.fused_clients is 4: agents train one client at a time"):
        fused(4, fleet="zeromq").check("fedlr")
    fused(1, fleet="zeromq").check("fedlr")
