"""Profiles of how it is learned: the partition, the rounds, local training, evaluation, methods, seeds."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from harness.profiles.base import Count, Fraction, NonNegative, Profile, Seconds, Seed

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

    ``over_selection`` more clients are chosen than ``clients_per_round``; the round ends with the first
    ``clients_per_round`` updates, and does not wait for the others: which ones count then depends on who is fast.
    A round whose deadline passes is aggregated if at least ``quorum`` of its clients are there; otherwise the deadline
    is given again, ``max_extensions`` times. A client is tried on at most ``max_attempts`` agents.
    """

    count: Count = 30
    clients_per_round: Count = 10
    over_selection: Annotated[int, Meta(ge=0)] = 0
    deadline_s: Seconds = 600.0
    quorum: Fraction = 0.5
    max_extensions: Annotated[int, Meta(ge=0)] = 3
    max_attempts: Count = 3

    @property
    def chosen(self) -> int:
        """How many clients are chosen for a round."""
        return self.clients_per_round + self.over_selection


class TrainProfile(Profile, frozen=True, kw_only=True):
    """Local training, AdamW without weight decay. Trainer ``null`` returns its input: it measures the harness itself.

    A step takes ``batch_size`` samples, in parts of at most ``micro_batch_size`` where memory is short (gradient
    accumulation); parts change a step by rounding alone, and by where dropout falls. ``padding``: ``longest`` pads to
    the longest of a batch, ``fixed`` to ``max_length`` as the papers do, ``grouped`` to the longest of a batch of
    samples of like length. The learning rate of a round is the method's lr times ``schedule``'s factor: linear warm-up
    over ``warm_up_rounds``, then constant, or a linear or cosine decay to the last round. Contexts of questions are
    read in windows that overlap by ``stride`` tokens, after at most ``question_length`` tokens of the question.

    With ``max_steps`` a round ends after so many optimiser steps, on the rows that come first in its order, which is
    another one in each round; a client weighs as many samples as it has nonetheless.

    ``null_noise`` is the standard deviation of noise, drawn from the task's seed, that the null trainer adds to its
    input: the states of such a run tell whether each update counted, and counted once.

    YAML reads a bare ``null`` as nothing: write ``trainer: "null"``.
    """

    trainer: Literal["torch", "null"] = "torch"
    null_state_bytes: Count = 4_718_592
    null_noise: NonNegative = 0.0
    batch_size: Count = 16
    micro_batch_size: Count | None = None
    epochs: Count = 1
    max_steps: Count | None = None
    max_length: Annotated[int, Meta(ge=8, le=4096)] = 256
    stride: Annotated[int, Meta(ge=0)] = 128
    question_length: Count = 64
    padding: Literal["longest", "fixed", "grouped"] = "longest"
    precision: Literal["fp32", "bf16"] = "fp32"
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    warm_up_rounds: Annotated[int, Meta(ge=0)] = 0


class EvaluateProfile(Profile, frozen=True, kw_only=True):
    """Evaluation of the global model on the test split, or on ``sample`` samples of it, drawn by seed.

    With ``split: validation`` the share ``validation_share`` is cut off the training samples, by seed, and evaluated
    instead: learning rates are chosen there, never on the test split. ``answer_length`` is the longest answer looked
    for, in tokens. With ``clients`` each client's own model, as its update has it, is evaluated too.

    ``overlap``: whether a state may be evaluated while the next round trains already; ``auto``: where that disturbs
    nobody's seconds, since no client trains on the controller's machine or its seconds are those of a table.
    """

    split: Literal["test", "validation"] = "test"
    validation_share: Annotated[float, Meta(gt=0, lt=1)] = 0.1
    every: Count = 1
    sample: Count | None = None
    batch_size: Count = 64
    answer_length: Count = 30
    clients: bool = False
    overlap: Literal["auto", "always", "never"] = "auto"


class TargetProfile(Profile, frozen=True, kw_only=True):
    """The target of the time-to-target table: fractions of ``value`` of ``metric``."""

    metric: str = "accuracy"
    value: Fraction = 0.8
    fractions: tuple[Fraction, ...] = (0.90, 0.95, 0.99)


class SeedsProfile(Profile, frozen=True, kw_only=True):
    """One seed for each source of chance. ``--seed N`` sets all but the first three, for the data set's shards.

    ``split`` cuts test and validation splits off, ``classes`` starts k-means.
    """

    split: Seed = 0
    classes: Seed = 0
    partition: Seed = 0
    cohort: Seed = 0
    initialisation: Seed = 0
    training: Seed = 0
    evaluation: Seed = 0
    link: Seed = 0
