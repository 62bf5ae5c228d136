"""Typed, frozen profiles: what an experiment is, checked strictly.

A profile file is YAML; its keys are the fields below, nothing else is accepted. An experiment names its model, data
set, device and link; :mod:`harness.library` reads the files and puts their contents in place of the names, so that
one :class:`Experiment` holds all that decides a run.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from harness.errors import ProfileError
from harness.explanation import explain

METHODS = ("fedft", "fedbf", "fedap", "fedlr", "federa")
Method = Literal["fedft", "fedbf", "fedap", "fedlr", "federa"]

Count = Annotated[int, Meta(ge=1)]
Seed = Annotated[int, Meta(ge=0, lt=2**32)]
Seconds = Annotated[float, Meta(gt=0)]
NonNegative = Annotated[float, Meta(ge=0)]
Fraction = Annotated[float, Meta(gt=0, le=1)]
Rate = Annotated[float, Meta(gt=0)]
Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=64)]


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every profile: frozen, keyword-only, unknown keys refused."""


class ModelProfile(Profile, frozen=True, kw_only=True):
    """A pretrained encoder: embedded, a folder below ``--models``, or a hub id; the first that is there."""

    name: Name
    embedded: str | None = None
    folder: str | None = None
    hub: str | None = None


class DatasetProfile(Profile, frozen=True, kw_only=True):
    """A data set: embedded, parquet ``<data>/<parquet>_{train,test}.parquet``, or a hub id; the first that is there.

    ``hub_label_column`` is for a hub whose ``label_column`` is called otherwise.
    """

    name: Name
    task: Literal["text-classification"] = "text-classification"
    embedded: str | None = None
    parquet: str | None = None
    hub: str | None = None
    text_column: str = "text"
    label_column: str = "label"
    hub_label_column: str | None = None


class DeviceProfile(Profile, frozen=True, kw_only=True):
    """What trains: ``threads`` processor threads for each trainer; ``slowdown`` is left to later device models."""

    name: Name
    threads: Count = 1


class LinkProfile(Profile, frozen=True, kw_only=True):
    """A link, the same in both directions unless said otherwise.

    ``rate_mbps`` is a constant rate; with ``rate_min_mbps`` and ``rate_max_mbps`` a seeded trace draws a new rate
    every ``step_s``. None of them: the link is not shaped. ``latency_s`` is one way. 1 Mbps = 1e6 bit/s.
    """

    name: Name
    rate_mbps: Rate | None = None
    rate_min_mbps: Rate | None = None
    rate_max_mbps: Rate | None = None
    step_s: Seconds = 0.5
    latency_s: NonNegative = 0.0

    def __post_init__(self) -> None:
        bounds = (self.rate_min_mbps, self.rate_max_mbps)
        if (bounds[0] is None) != (bounds[1] is None):
            raise ValueError("rate_min_mbps and rate_max_mbps are given together or not at all")
        if self.rate_mbps is not None and bounds[0] is not None:
            raise ValueError("give rate_mbps or rate_min_mbps with rate_max_mbps, not both")
        if bounds[0] is not None and bounds[1] is not None and bounds[0] > bounds[1]:
            raise ValueError(f"rate_min_mbps {bounds[0]:g} is above rate_max_mbps {bounds[1]:g}")


SHARES_TOLERANCE = 1e-6


class PartitionProfile(Profile, frozen=True, kw_only=True):
    """How training samples become clients.

    ``fednlp-dirichlet``: class shares from a Dirichlet, without replacement (FeDeRA A.3). ``dirichlet``: the same draw
    with replacement, so that late clients are as skewed as early ones, and a sample may be at several. ``iid``: at
    random. ``class-shares``: client k's samples have the classes (by sorted name) in the proportion ``shares[k]``.
    """

    kind: Literal["fednlp-dirichlet", "dirichlet", "iid", "class-shares"] = "fednlp-dirichlet"
    clients: Count = 100
    alpha: Annotated[float, Meta(gt=0)] = 0.1
    shares: tuple[tuple[Annotated[float, Meta(ge=0, le=1)], ...], ...] | None = None

    def __post_init__(self) -> None:
        if (self.kind == "class-shares") != (self.shares is not None):
            raise ValueError("shares belong to kind class-shares, and that kind needs them")
        if self.shares is None:
            return
        if len(self.shares) != self.clients:
            raise ValueError(f"shares has {len(self.shares)} rows for {self.clients} clients; give one row a client")
        for client, row in enumerate(self.shares):
            if abs(sum(row) - 1) > SHARES_TOLERANCE:
                raise ValueError(f"shares of client {client} sum to {sum(row):g}; they must sum to 1")


class RoundsProfile(Profile, frozen=True, kw_only=True):
    """The rounds: how many, how many clients each, and when a round goes on without some of them.

    A round whose deadline passes is aggregated if at least ``quorum`` of its clients are there; otherwise the deadline
    is given again, ``max_extensions`` times. A client is tried on at most ``max_attempts`` agents.
    """

    count: Count = 30
    clients_per_round: Count = 10
    deadline_s: Seconds = 600.0
    quorum: Fraction = 0.5
    max_extensions: Annotated[int, Meta(ge=0)] = 3
    max_attempts: Count = 3


class TrainProfile(Profile, frozen=True, kw_only=True):
    """Local training, AdamW without weight decay. Trainer ``null`` returns its input: it measures the harness itself.

    YAML reads a bare ``null`` as nothing: write ``trainer: "null"``.
    """

    trainer: Literal["torch", "null"] = "torch"
    null_state_bytes: Count = 4_718_592
    batch_size: Count = 16
    epochs: Count = 1
    max_length: Annotated[int, Meta(ge=8, le=4096)] = 256
    precision: Literal["fp32", "bf16"] = "fp32"


class EvaluateProfile(Profile, frozen=True, kw_only=True):
    """Evaluation of the global model on the test split, or on ``sample`` texts of it, drawn by seed."""

    every: Count = 1
    sample: Count | None = None
    batch_size: Count = 64


class MethodProfile(Profile, frozen=True, kw_only=True):
    """Settings of one method. ``rank`` and ``alpha`` are LoRA's r and beta; ``reduction`` is width over bottleneck."""

    lr: Annotated[float, Meta(gt=0, le=1)] = 5e-4
    rank: Count = 32
    alpha: Annotated[float, Meta(gt=0)] = 32.0
    reduction: Count = 16


class TargetProfile(Profile, frozen=True, kw_only=True):
    """The target of the time-to-target table: fractions of ``value`` of ``metric``."""

    metric: str = "accuracy"
    value: Fraction = 0.8
    fractions: tuple[Fraction, ...] = (0.90, 0.95, 0.99)


class SeedsProfile(Profile, frozen=True, kw_only=True):
    """One seed for each source of chance. ``--seed N`` sets all but the partition's: the shards are the data set's."""

    cohort: Seed = 0
    partition: Seed = 0
    initialisation: Seed = 0
    training: Seed = 0
    evaluation: Seed = 0
    link: Seed = 0


class AgentsProfile(Profile, frozen=True, kw_only=True):
    """The agents: how many are started or awaited, for how long, and when one counts as lost."""

    count: Count = 2
    join_timeout_s: Seconds = 120.0
    heartbeat_s: Seconds = 0.5
    lost_after_s: Seconds = 8.0


class Experiment(Profile, frozen=True, kw_only=True):
    """A whole experiment, resolved: everything that decides a run but the method's name."""

    name: Name
    description: str
    fleet: Literal["zeromq"] = "zeromq"
    model: ModelProfile
    dataset: DatasetProfile
    device: DeviceProfile
    link: LinkProfile
    partition: PartitionProfile = PartitionProfile()
    rounds: RoundsProfile = RoundsProfile()
    train: TrainProfile = TrainProfile()
    evaluate: EvaluateProfile = EvaluateProfile()
    methods: dict[Method, MethodProfile] = {}
    target: TargetProfile = TargetProfile()
    seeds: SeedsProfile = SeedsProfile()
    agents: AgentsProfile = AgentsProfile()

    def __post_init__(self) -> None:
        if self.rounds.clients_per_round > self.partition.clients:
            raise ValueError(
                f"rounds.clients_per_round is {self.rounds.clients_per_round}, "
                f"more than the {self.partition.clients} of partition.clients"
            )

    def method(self, name: Method) -> MethodProfile:
        """Settings of one method; the defaults where the profile has none."""
        return self.methods.get(name, MethodProfile())


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
