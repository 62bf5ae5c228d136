"""A whole experiment, its fingerprint, and building one from plain data."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from harness.errors import ProfileError
from harness.explanation import explain
from harness.profiles.base import FleetKind, Method, Name, Profile
from harness.profiles.choices import fault_of
from harness.profiles.fleet import AgentsProfile, DeviceProfile, LinkProfile, RecordProfile, Setting, SimulationProfile
from harness.profiles.fusing import refusal_of
from harness.profiles.learning import (
    EvaluateProfile,
    PartitionProfile,
    RoundsProfile,
    SeedsProfile,
    TargetProfile,
    TrainProfile,
)
from harness.profiles.methods import MethodProfile
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
    simulation: SimulationProfile = SimulationProfile()

    def __post_init__(self) -> None:
        if self.rounds.chosen > self.partition.clients:
            spare = f" with rounds.over_selection {self.rounds.over_selection}" if self.rounds.over_selection else ""
            raise ValueError(
                f"rounds.clients_per_round is {self.rounds.clients_per_round}{spare}, "
                f"more than the {self.partition.clients} of partition.clients"
            )
        if not self.virtual and self.link.transfers:
            raise ValueError(
                f"link '{self.link.name}' is a table of measured seconds, which real transfers cannot keep to; "
                "choose fleet virtual, or a link with a rate"
            )
        for name, settings in self.methods.items():
            if fault := fault_of(name, settings):
                raise ValueError(f"methods.{name}: {fault}")
        allowed = [metric for metric in METRICS[self.dataset.task] if metric != LOSS]
        for target in self.targets:
            if target.metric not in allowed and self.train.trainer != "null":
                raise ValueError(
                    f"target.metric '{target.metric}' is none that {self.dataset.task} gives; "
                    f"choose from: {', '.join(allowed)}"
                )

    @property
    def virtual(self) -> bool:
        """Whether devices are virtual, and seconds those of the profiles: on this machine, or over a cluster."""
        return self.fleet in ("virtual", "ray")

    @property
    def targets(self) -> tuple[TargetProfile, ...]:
        """All targets; the first is the one that a single figure is about."""
        return (self.target, *self.further_targets)

    @property
    def agents_awaited(self) -> int:
        """How many agents a run begins with; in a virtual fleet each client of a round has one of its own."""
        return self.rounds.chosen if self.virtual else self.agents.count

    def method(self, name: Method) -> MethodProfile:
        """Settings of one method; the defaults where the profile has none."""
        return self.methods.get(name, MethodProfile())

    def check(self, name: Method) -> None:
        """See that this method can be run as the experiment says.

        Raises:
            ProfileError: the fleet, the rounds or the task are none for it; the sentence says which would be.
        """
        clients, chosen = self.partition.clients, self.rounds.clients_per_round
        if name == "fedsa" and not self.virtual:
            raise ProfileError(
                "fedsa keeps B and the head at each client, and real agents train whichever client comes; "
                "run it with --fleet virtual, where each client has a device of its own"
            )
        if name == "fedsa" and chosen < clients:
            raise ProfileError(
                f"fedsa is told of all clients' own models, and {chosen} of {clients} train in a round; "
                "set rounds.clients_per_round to partition.clients"
            )
        if name == "central" and chosen != clients:
            raise ProfileError(
                f"central trains on the data of all clients in each round, and {chosen} of {clients} take part; "
                "set rounds.clients_per_round to partition.clients"
            )
        fused = self.simulation.fused_clients
        if fused > 1 and not self.virtual:
            raise ProfileError(
                f"simulation.fused_clients is {fused}: agents train one client at a time; set it to 1, or run with "
                "--fleet virtual"
            )
        if fused > 1 and self.train.trainer != "null" and (refused := refusal_of(name, self.method(name))):
            raise ProfileError(f"simulation.fused_clients is {fused}: {refused}")
        private = self.method(name).privacy.kind
        if private == "dp-sgd" and self.dataset.task != "text-classification":
            raise ProfileError(
                f"dp-sgd protects samples of one row, and those of {self.dataset.task} are several; "
                "choose a data set of text-classification, or privacy.kind server"
            )

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
