"""A whole experiment, its fingerprint, and building one from plain data."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from harness.errors import ProfileError
from harness.explanation import explain
from harness.profiles.base import FleetKind, Method, Name, Profile
from harness.profiles.fleet import AgentsProfile, DeviceProfile, LinkProfile, RecordProfile, Setting
from harness.profiles.learning import (
    EvaluateProfile,
    MethodProfile,
    PartitionProfile,
    RoundsProfile,
    SeedsProfile,
    TargetProfile,
    TrainProfile,
)
from harness.profiles.sources import LOSS, METRICS, DatasetProfile, ModelProfile


class Experiment(Profile, frozen=True, kw_only=True):
    """A whole experiment, resolved: everything that decides a run but the method's name."""

    name: Name
    description: str
    fleet: FleetKind = "zeromq"
    model: ModelProfile
    dataset: DatasetProfile
    device: DeviceProfile
    link: LinkProfile
    partition: PartitionProfile = PartitionProfile()
    rounds: RoundsProfile = RoundsProfile()
    train: TrainProfile = TrainProfile()
    evaluate: EvaluateProfile = EvaluateProfile()
    methods: dict[Method, MethodProfile] = msgspec.field(default_factory=dict)
    target: TargetProfile = TargetProfile()
    further_targets: tuple[TargetProfile, ...] = ()
    seeds: SeedsProfile = SeedsProfile()
    agents: AgentsProfile = AgentsProfile()
    record: RecordProfile = RecordProfile()

    def __post_init__(self) -> None:
        if self.rounds.chosen > self.partition.clients:
            spare = f" with rounds.over_selection {self.rounds.over_selection}" if self.rounds.over_selection else ""
            raise ValueError(
                f"rounds.clients_per_round is {self.rounds.clients_per_round}{spare}, "
                f"more than the {self.partition.clients} of partition.clients"
            )
        if self.fleet != "virtual" and self.link.transfers:
            raise ValueError(
                f"link '{self.link.name}' is a table of measured seconds, which real transfers cannot keep to; "
                "choose fleet virtual, or a link with a rate"
            )
        allowed = [metric for metric in METRICS[self.dataset.task] if metric != LOSS]
        for target in self.targets:
            if target.metric not in allowed and self.train.trainer != "null":
                raise ValueError(
                    f"target.metric '{target.metric}' is none that {self.dataset.task} gives; "
                    f"choose from: {', '.join(allowed)}"
                )

    @property
    def targets(self) -> tuple[TargetProfile, ...]:
        """All targets; the first is the one that a single figure is about."""
        return (self.target, *self.further_targets)

    @property
    def agents_awaited(self) -> int:
        """How many agents a run begins with; in a virtual fleet each client of a round has one of its own."""
        return self.rounds.chosen if self.fleet == "virtual" else self.agents.count

    def method(self, name: Method) -> MethodProfile:
        """Settings of one method; the defaults where the profile has none."""
        return self.methods.get(name, MethodProfile())

    def setting(self, name: Method) -> Setting:
        """What a run of this method is timed as by tables of seconds."""
        return Setting(
            model=self.model.timed_as or self.model.name,
            dataset=self.dataset.timed_as or self.dataset.name,
            method=name,
            rank=self.method(name).rank,
        )


def fingerprint(experiment: Experiment) -> str:
    """SHA-256 of the resolved profile, hex: equal for equal experiments whatever the order of their keys."""
    return hashlib.sha256(msgspec.json.encode(experiment, order="deterministic")).hexdigest()


def build(data: dict[str, Any], where: str) -> Experiment:
    """Check ``data`` and make an :class:`Experiment` of it; ``where`` names its source in errors.

    Raises:
        ProfileError: an unknown key, a wrong type or a value out of range, with the key's path and what is allowed.
    """
    try:
        return msgspec.convert(data, Experiment)
    except msgspec.ValidationError as error:
        raise ProfileError(f"{where}: {explain(data, Experiment) or error}") from None
