"""Which methods' clients can be trained several as one batch, each other one refused in a sentence. Pure."""

from __future__ import annotations

from harness.profiles.base import Method
from harness.profiles.choices import FULL
from harness.profiles.methods import MethodProfile


def refusal_of(method: Method, settings: MethodProfile) -> str | None:
    """Why clients of this method cannot be trained as one batch, in words; None where they can."""
    if method in FULL:
        return (
            f"{method} trains tensors of its own all over the encoder, so that several clients have no weights in "
            "common; set simulation.fused_clients to 1"
        )
    if method == "slora":
        return (
            "slora's first stage trains weights of the encoder, so that several clients have no weights in common; "
            "set simulation.fused_clients to 1"
        )
    if settings.privacy.kind == "dp-sgd":
        return (
            "dp-sgd takes the gradient of each sample of one client; set simulation.fused_clients to 1, "
            "or choose privacy.kind server"
        )
    return None
