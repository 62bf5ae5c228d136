"""Settings that mean nothing together are refused by the key and with what to do instead."""

from __future__ import annotations

import msgspec
import pytest

from harness.profiles import Method, MethodProfile, PrivacyProfile, ServerProfile
from harness.profiles.choices import fault_of


@pytest.mark.parametrize(
    ("method", "settings", "key", "remedy"),
    [
        ("ffa", {"privacy": PrivacyProfile(noise_multiplier=2)}, "privacy.noise_multiplier", "choose dp-sgd or server"),
        ("fra", {"privacy": PrivacyProfile(clip=0.5)}, "privacy.clip", "choose dp-sgd or server"),
        ("ffa", {"server": ServerProfile(lr=0.1)}, "server.lr", "choose avgm, adam or yogi"),
        ("fra", {"server": ServerProfile(tau=0.1)}, "server.tau", "leave it out"),
        ("central", {"prox": 0.1}, "leave prox out", "one client"),
        ("central", {"scaffold": True}, "leave scaffold out", "one client"),
        ("central", {"server": ServerProfile(optimiser="adam")}, "leave server.optimiser out", "one client"),
        ("fedex", {"privacy": PrivacyProfile(kind="server")}, "privacy.kind server", "choose dp-sgd"),
        ("fedft", {"privacy": PrivacyProfile(kind="server")}, "privacy.kind server", "run one of these"),
        ("slora", {"privacy": PrivacyProfile(kind="server")}, "privacy.kind server", "run one of these"),
        ("slora", {"privacy": PrivacyProfile(kind="dp-sgd")}, "sample by sample", "choose a method of LoRA"),
    ],
)
def test_a_refusal_names_the_key_and_the_remedy(
    method: Method, settings: dict[str, object], key: str, remedy: str
) -> None:
    fault = fault_of(method, msgspec.structs.replace(MethodProfile(), **settings))
    assert fault
    assert key in fault
    assert remedy in fault


def test_what_is_used_is_not_refused() -> None:
    assert fault_of("ffa", MethodProfile()) is None
    assert fault_of("ffa", MethodProfile(privacy=PrivacyProfile(kind="dp-sgd", noise_multiplier=2, clip=0.5))) is None
    assert fault_of("ffa", MethodProfile(server=ServerProfile(optimiser="adam", lr=0.1))) is None
