"""Which runs a sweep consists of. Pure: what was asked in, runs out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import msgspec

from harness.profiles import METHODS, Experiment, Method, MethodProfile, fingerprint

SCHEMA = 1

Stage = Literal["validation", "test"]
STAGES: tuple[Stage, ...] = ("validation", "test")


class Asked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``sweep.json``: what a sweep was asked for; equal for equal sweeps, whatever the order of the words.

    ``profile`` is the resolved experiment with seed 0 and, for the methods of the sweep alone, the default learning
    rate: what the sweep varies is not in it. ``lrs`` are a method's rates, largest first; a method with one rate is
    not tuned. ``tune_seeds`` are empty and ``tune_rounds`` null where no method is. ``data`` and ``models`` are the
    folders that were named.
    """

    schema: int = SCHEMA
    profile: Experiment
    methods: tuple[Method, ...]
    lrs: dict[Method, tuple[float, ...]]
    seeds: tuple[int, ...]
    tune_seeds: tuple[int, ...]
    tune_rounds: int | None
    data: str | None
    models: str | None

    @property
    def sweep_id(self) -> str:
        """The folder's name: the profile's, and a hash of all that was asked."""
        asked = hashlib.sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()
        return f"{self.profile.name}-sweep-{asked[:8]}"

    @property
    def tuned(self) -> tuple[Method, ...]:
        """The methods that have rates to choose from."""
        return tuple(method for method in self.methods if len(self.lrs[method]) > 1)


def asked_of(
    experiment: Experiment,
    methods: Sequence[Method],
    rates: Sequence[float] | None,
    seeds: Sequence[int],
    tune_seeds: Sequence[int],
    tune_rounds: int | None,
    data: str | None,
    models: str | None,
) -> Asked:
    """What is asked for, in one form. ``experiment`` has seed 0; ``rates`` None: the profile's own of each method."""
    wanted = tuple(sorted(set(methods), key=METHODS.index))
    lrs = {method: tuple(rates) if rates else (experiment.method(method).lr,) for method in wanted}
    tuned = any(len(of) > 1 for of in lrs.values())
    plain = {method: msgspec.structs.replace(experiment.method(method), lr=MethodProfile().lr) for method in wanted}
    evaluate = msgspec.structs.replace(experiment.evaluate, split="test")
    return Asked(
        profile=msgspec.structs.replace(experiment, methods=plain, evaluate=evaluate),
        methods=wanted,
        lrs=lrs,
        seeds=tuple(seeds),
        tune_seeds=tuple(tune_seeds) if tuned else (),
        tune_rounds=tune_rounds if tuned else None,
        data=data,
        models=models,
    )


def identity_of(experiment: Experiment, method: Method) -> str:
    """What makes two runs the same run: all of the profile, but of the methods' settings only the method's own."""
    own = msgspec.structs.replace(experiment, methods={method: experiment.method(method)})
    return f"{method} {fingerprint(own)}"


@dataclass(frozen=True)
class Planned:
    """One run of a sweep."""

    stage: Stage
    method: Method
    lr: float
    seed: int
    experiment: Experiment

    @cached_property
    def identity(self) -> str:
        """What its run folder's header will say it is; see :func:`identity_of`."""
        return identity_of(self.experiment, self.method)

    @property
    def title(self) -> str:
        """How it is called before people."""
        return f"{self.stage}: {self.method}, lr {self.lr:g}, seed {self.seed}"


@dataclass(frozen=True)
class Plan:
    """The runs of a sweep. ``experiments`` by seed are the profile with that seed, all else as asked."""

    asked: Asked
    experiments: Mapping[int, Experiment]

    def validation(self) -> tuple[Planned, ...]:
        """One run on the validation split for each tuning seed, tuned method and rate of it."""
        return tuple(
            Planned("validation", method, lr, seed, self._validating(self._with_rates(seed, {method: lr})))
            for seed in self.asked.tune_seeds
            for method in self.asked.tuned
            for lr in self.asked.lrs[method]
        )

    def test(self, chosen: Mapping[Method, float]) -> tuple[Planned, ...]:
        """One run on the test split for each seed and method with a rate; a seed's runs share one profile."""
        return tuple(
            Planned("test", method, chosen[method], seed, self._split(self._with_rates(seed, chosen), "test"))
            for seed in self.asked.seeds
            for method in self.asked.methods
            if method in chosen
        )

    def _with_rates(self, seed: int, rates: Mapping[Method, float]) -> Experiment:
        experiment = self.experiments[seed]
        changed = {name: msgspec.structs.replace(experiment.method(name), lr=lr) for name, lr in rates.items()}
        return msgspec.structs.replace(experiment, methods={**experiment.methods, **changed})

    def _validating(self, experiment: Experiment) -> Experiment:
        rounds = experiment.rounds
        if self.asked.tune_rounds is not None:
            rounds = msgspec.structs.replace(rounds, count=self.asked.tune_rounds)
        return self._split(msgspec.structs.replace(experiment, rounds=rounds), "validation")

    @staticmethod
    def _split(experiment: Experiment, split: Stage) -> Experiment:
        return msgspec.structs.replace(experiment, evaluate=msgspec.structs.replace(experiment.evaluate, split=split))
