"""In how many processes a virtual fleet's clients are trained, and what that does to measured seconds; pure."""

from __future__ import annotations

import math

from harness.profiles.experiment import Experiment

SHARED = (
    "clients were trained {how} on {where}, and the device has no table of seconds, so train_s is not that of a "
    "client alone; {remedy} for times to compare"
)


def groups_at_most(experiment: Experiment) -> int:
    """How many groups of clients a round has: more processes than that would stand idle."""
    return math.ceil(experiment.agents_awaited / experiment.simulation.fused_clients)


def processes_of(experiment: Experiment, cores: int, *, gpu: bool = False) -> int:
    """How many processes train side by side on a machine of so many cores; ``gpu``: on its GPU.

    As many as there are cores for, where processors train and nothing measured here counts; else one, if nobody asks
    for more.
    """
    asked = experiment.simulation.processes
    if asked is None:
        asked = max(1, cores // experiment.device.threads) if _measures_nothing(experiment) and not gpu else 1
    return min(asked, groups_at_most(experiment))


def disturbed(experiment: Experiment) -> str | None:
    """A warning where seconds that are measured here are not those of a client that is trained alone; else None."""
    if not experiment.virtual or experiment.device.seconds or experiment.agents_awaited == 1:
        return None
    simulation, over_cluster = experiment.simulation, experiment.fleet == "ray"
    found = []
    if over_cluster and (trainers := min(simulation.processes or math.inf, groups_at_most(experiment))) > 1:
        found.append((f"up to {trainers} at a time", "use fleet virtual"))
    elif not over_cluster and (processes := processes_of(experiment, 1)) > 1:
        found.append((f"{processes} at a time", "leave simulation.processes out"))
    if simulation.fused_clients > 1:
        found.append((f"up to {simulation.fused_clients} in one batch", "leave simulation.fused_clients out"))
    if not found:
        return None
    how, remedy = (" and ".join(words) for words in zip(*found, strict=True))
    return SHARED.format(how=how, where="a Ray cluster" if over_cluster else "this machine", remedy=remedy)


def _measures_nothing(experiment: Experiment) -> bool:
    """Whether a table says what training takes, and nothing is learned that a process of its own would be for."""
    return bool(experiment.device.seconds) and experiment.train.trainer != "null"
