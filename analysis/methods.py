"""What a run's method is and how it was set: its start, its settings in words, whether it is a reference; pure.

Words are of what differs from a method's defaults, so that the usual needs none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from analysis.load import Run
from harness.profiles import (
    AGGREGATION_METHODS,
    Method,
    MethodProfile,
    PrivacyProfile,
    ServerProfile,
    initialisation_of,
)

REFERENCES = ("central",)
"""Methods without a fleet: others are compared with them, they are not ranked, and no byte of theirs travels."""
PERSONAL = ("fedsa",)
"""Methods whose metrics are those of the clients' own models, not of a global one."""
FIRST_STAGE = {"fra-ffa": "FRA until round", "slora": "sparse until round"}
OPTIMISERS = {"avgm": "FedAvgM", "adam": "FedAdam", "yogi": "FedYogi"}
STARTS = {"gaussian": "Gaussian", "federa": "FeDeRA's", None: "none"}
SCAFFOLD = "SCAFFOLD (adapted)"
"""The paper's is for SGD; with AdamW the correction goes through the moments too."""


def settings_of(run: Run) -> MethodProfile:
    """The settings of the run's own method."""
    return run.experiment.method(cast(Method, run.header.method))


def is_reference(run: Run) -> bool:
    """Whether a run is a reference for others."""
    return run.header.method in REFERENCES


def fleets(runs: Sequence[Run]) -> tuple[Run, ...]:
    """The runs without references."""
    return tuple(run for run in runs if not is_reference(run))


def contenders(runs: Sequence[Run]) -> tuple[Run, ...]:
    """The runs that are compared with each other: all but the references, which stand alone where nothing else is."""
    return fleets(runs) or tuple(runs)


def ranked_places(runs: Sequence[Run]) -> tuple[int, ...]:
    """Where :func:`contenders` stand among the runs; nowhere of one alone, which nothing is compared with."""
    places = tuple(place for place, run in enumerate(runs) if not is_reference(run)) or tuple(range(len(runs)))
    return places if len(places) > 1 else ()


def aggregates(run: Run) -> bool:
    """Whether a run is about aggregating low-rank adapters, and not merely one of those that average them."""
    own = settings_of(run)
    return (
        run.header.method in (*AGGREGATION_METHODS, *REFERENCES)
        or own.privacy.kind != "none"
        or own.server.optimiser != "none"
        or own.scaffold
        or own.prox > 0
    )


def start_words(run: Run) -> str:
    """How A and B begin: "Gaussian", "FeDeRA's", or "none" of a method without them."""
    return STARTS[initialisation_of(cast(Method, run.header.method), settings_of(run))]


def own_words(method: str, own: MethodProfile) -> dict[str, str]:
    """Each setting of how a method starts, aggregates and hides: in words, "" where it is the method's default."""
    default = initialisation_of(cast(Method, method), MethodProfile())
    start = initialisation_of(cast(Method, method), own)
    fra = own.fra
    stage = stage_words(method, own.switch_round) if own.switch_round != MethodProfile().switch_round else ""
    return {
        "start": f"{STARTS[start]} start" if start != default else "",
        "privacy": privacy_words(own.privacy),
        "ranks": f"ranks {'/'.join(map(str, own.ranks))}" if own.ranks else "",
        "switch_round": stage,
        "density": f"density {own.density:g}" if own.density != MethodProfile().density else "",
        "fair_weight": f"lambda {own.fair_weight:g}" if own.fair_weight != MethodProfile().fair_weight else "",
        "fra.split": f"split {fra.split}" if fra.split != "balanced" else "",
        "fra.residual": {"drop": "", "fold": "residual folded", "feedback": "residual fed back"}[fra.residual],
        "fra.aggregate": "increments" if fra.aggregate == "increment" else "",
        "fra.route": f"route {fra.route}" if fra.route != "auto" else "",
        "server.optimiser": _server_words(own.server),
        "prox": f"FedProx {own.prox:g}" if own.prox else "",
    }


def stage_words(method: str, switch_round: int) -> str:
    """How long the first stage of a method that has two lasts: "FRA until round 5"."""
    return f"{FIRST_STAGE[method]} {switch_round}"


def settings_words(run: Run) -> str:
    """All settings of :func:`own_words` but the start, which has a place of its own; "" where all are the defaults."""
    words = own_words(run.header.method, settings_of(run)) | {"start": ""}
    scaffold = (SCAFFOLD,) if settings_of(run).scaffold else ()
    return ", ".join([*scaffold, *filter(None, words.values())])


def privacy_words(privacy: PrivacyProfile) -> str:
    """The mechanism with what it hangs on: "DP-SGD noise 1", "server noise 1 clip 0.5"; "" where there is none."""
    if privacy.kind == "none":
        return ""
    what = "DP-SGD" if privacy.kind == "dp-sgd" else "server"
    clip = f" clip {privacy.clip:g}" if privacy.clip != PrivacyProfile().clip else ""
    return f"{what} noise {privacy.noise_multiplier:g}{clip}"


def _server_words(server: ServerProfile) -> str:
    if server.optimiser == "none":
        return ""
    rate = f" lr {server.lr:g}" if server.lr != ServerProfile().lr else ""
    return f"{OPTIMISERS[server.optimiser]}{rate}"
