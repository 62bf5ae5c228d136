"""Which settings a method has, and which combinations mean nothing: each refused in a sentence. Pure."""

from __future__ import annotations

from harness.profiles.base import Method
from harness.profiles.methods import FraProfile, Initialisation, MethodProfile, PrivacyProfile, ServerProfile

FULL = ("fedft", "fedbf", "fedap")
"""No low-rank factors."""
BY_WEIGHT = (*FULL, "slora")
"""Train weights of the encoder or bottlenecks, whose gradients are not taken sample by sample."""
FIXED_STATE = (*FULL, "fedlr", "federa", "ffa", "central")
"""The state is the plain mean of tensors that mean the same in every round: what moments and control variates need."""
CLIPPED = ("fedlr", "federa", "ffa", "fra", "fra-ffa")
"""The server can clip and noise the clients' changes of these."""
FRA_LIKE = ("fra", "fra-ffa", "flexlora")
RANKED = ("flexlora", "hetlora")
STAGED = ("fra-ffa", "slora")
_DEFAULTS = MethodProfile()


def initialisation_of(method: Method, settings: MethodProfile) -> Initialisation | None:
    """How A and B begin; None of a method without such factors."""
    if method in FULL:
        return None
    return settings.initialisation or ("federa" if method == "federa" else "gaussian")


def fault_of(method: Method, settings: MethodProfile) -> str | None:
    """Why these settings mean nothing for this method, in words; None where they do."""
    return (
        _initialisation_fault(method, settings)
        or _own_fault(method, settings)
        or _server_fault(method, settings)
        or _privacy_fault(method, settings)
    )


def _initialisation_fault(method: Method, settings: MethodProfile) -> str | None:
    wanted = settings.initialisation
    if wanted is None:
        return None
    if method in FULL:
        return f"{method} has no low-rank factors to initialise; leave initialisation out"
    if method == "federa" and wanted == "gaussian":
        return "federa with a Gaussian initialisation is the method fedlr; run that"
    if wanted == "gaussian":
        return None
    if method == "fedlr":
        return "fedlr with FeDeRA's initialisation is the method federa; run that"
    if method == "slora":
        return (
            "slora's factors begin with the SVD of what its first stage learned, so there is no place for FeDeRA's; "
            "choose gaussian"
        )
    if method in RANKED:
        return (
            f"{method} cuts factors to each client's rank, which would take a part of the pretrained weights away from "
            "clients of lower rank if the factors began with these, as FeDeRA's do; choose gaussian"
        )
    return None


def _own_fault(method: Method, settings: MethodProfile) -> str | None:
    if settings.ranks:
        if method not in RANKED:
            return f"{method} has one rank for all clients; give ranks to {' or '.join(RANKED)}, or rank alone"
        if max(settings.ranks) != settings.rank:
            return f"the largest of ranks is {max(settings.ranks)} and rank is {settings.rank}; they must be equal"
    for key, methods in (("switch_round", STAGED), ("density", ("slora",)), ("fair_weight", ("lora-fair",))):
        if method not in methods and getattr(settings, key) != getattr(_DEFAULTS, key):
            return f"{method} has no {key}; it belongs to {' and '.join(methods)}"
    if method not in FRA_LIKE and settings.fra != FraProfile():
        return f"{method} does not reduce a full-rank aggregate as FRA does; fra belongs to {', '.join(FRA_LIKE)}"
    if method == "flexlora" and (settings.fra.residual == "fold" or settings.fra.aggregate == "increment"):
        return "flexlora keeps the frozen weights and has no first factors; choose fra.residual drop or feedback"
    if settings.fra.residual == "fold" and settings.fra.aggregate == "increment":
        return "fra.residual fold changes the weights that increments are taken over; choose aggregate product"
    return None


def _server_fault(method: Method, settings: MethodProfile) -> str | None:
    optimiser = settings.server.optimiser
    if optimiser == "none" and (key := _set_of(settings.server, ServerProfile())):
        return f"server.{key} does nothing while server.optimiser is none; choose avgm, adam or yogi, or leave it out"
    if method not in FIXED_STATE and (optimiser != "none" or settings.scaffold):
        what = "scaffold" if settings.scaffold else f"server.optimiser {optimiser}"
        return (
            f"{method}'s tensors mean something else after each round, so that {what} has nothing to go on from; "
            f"choose one of: {', '.join(FIXED_STATE[:-1])}"
        )
    if settings.scaffold and optimiser != "none":
        return "scaffold is a rule of the server of its own; choose it or server.optimiser"
    if method == "central" and (optimiser != "none" or settings.scaffold or settings.prox):
        key = "scaffold" if settings.scaffold else "prox" if settings.prox else "server.optimiser"
        return f"central has one client, so there is nothing to correct between clients; leave {key} out"
    return None


def _privacy_fault(method: Method, settings: MethodProfile) -> str | None:
    privacy = settings.privacy
    if privacy.kind == "none":
        key = _set_of(privacy, PrivacyProfile())
        return f"privacy.{key} does nothing while privacy.kind is none; choose dp-sgd or server" if key else None
    if privacy.kind == "dp-sgd" and method in BY_WEIGHT:
        return f"{method} trains tensors whose gradients are not taken sample by sample; choose a method of LoRA"
    if settings.scaffold:
        return "scaffold sends control variates that no noise covers; choose scaffold or privacy"
    if privacy.kind == "dp-sgd" and settings.ranks:
        return f"{method}'s lower ranks are parts of a larger one that noise would fill; leave ranks or privacy out"
    if privacy.kind == "server":
        if method not in CLIPPED:
            other = "run one of these" if method in BY_WEIGHT else "choose dp-sgd"
            return f"privacy.kind server knows how to clip the changes of {', '.join(CLIPPED)} alone; {other}"
        if settings.fra.residual != "drop" or settings.fra.aggregate != "product":
            return "privacy.kind server reduces the noised aggregate as fra does by default; leave fra's options out"
        if settings.server.optimiser != "none":
            return "privacy.kind server adds the noised change as it is; leave server.optimiser out"
    return None


def _set_of(part: ServerProfile | PrivacyProfile, default: ServerProfile | PrivacyProfile) -> str | None:
    """The first key that is not as by default."""
    return next((key for key in part.__struct_fields__ if getattr(part, key) != getattr(default, key)), None)
