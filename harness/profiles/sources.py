"""Profiles of what is trained, and on what: a pretrained encoder, a data set, its classes."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from harness.profiles.base import Fraction, Name, Profile

TaskName = Literal["text-classification", "token-classification", "question-answering"]
ClassRule = Literal["label", "type-set", "source-type-set", "source", "k-means"]
Role = Literal[
    "text", "pair", "label", "tokens", "tags", "id", "context", "question", "answer_starts", "answer_texts", "source"
]

LOSS = "loss"
METRICS: dict[TaskName, tuple[str, ...]] = {
    "text-classification": ("accuracy", LOSS),
    "token-classification": ("f1", "precision", "recall", LOSS),
    "question-answering": ("exact_match", "f1", "exact_match_per_answer", "f1_per_answer", LOSS),
}
"""What an evaluation gives, by task. All but the loss are shares of 1, more is better: they can be targets."""

_RULES: dict[TaskName, tuple[ClassRule, ...]] = {
    "text-classification": ("label", "source"),
    "token-classification": ("type-set", "source-type-set", "source"),
    "question-answering": ("k-means", "source"),
}


class SiteProfile(Profile, frozen=True, kw_only=True):
    """Where an adapter goes: in each module whose name ends in ``block``, after its part ``after``."""

    block: str
    after: str


class ModulesProfile(Profile, frozen=True, kw_only=True):
    """Modules of an encoder by the ends of their names, where its architecture is not known or others are wanted.

    ``lora`` are the linear layers that FedLR and FeDeRA adapt, such as ``[query, value]``; ``adapters`` FedAP's sites.
    """

    lora: tuple[str, ...] = ()
    adapters: tuple[SiteProfile, ...] = ()


class ModelProfile(Profile, frozen=True, kw_only=True):
    """A pretrained encoder: embedded, a folder (absolute, or below ``--models``), or a hub id; the first there is.

    In an experiment, ``model: owner/name`` stands for that hub id, and the path of a folder for that folder. A small
    stand-in is ``timed_as`` the model whose seconds a table has.
    """

    name: Name
    timed_as: Name | None = None
    embedded: str | None = None
    folder: str | None = None
    hub: str | None = None
    modules: ModulesProfile = ModulesProfile()


class SplitNames(Profile, frozen=True, kw_only=True):
    """What a source calls its splits: the end of a parquet file's name, or the hub's word."""

    train: str = "train"
    test: str = "test"


class ClassesProfile(Profile, frozen=True, kw_only=True):
    """What a sample's class is, where the partition asks for it.

    ``label``: its label. ``type-set``: the set of entity types in it. ``source``: the corpus it is from;
    ``source-type-set``: both. ``k-means``: one of ``clusters`` clusters of the embedded question and answer; the
    embedding is that of the model named in ``embedding``, or without one a local one that needs no model.
    """

    kind: ClassRule
    clusters: Annotated[int, Meta(ge=2)] = 30
    embedding: ModelProfile | None = None


class DatasetProfile(Profile, frozen=True, kw_only=True):
    """A data set: embedded, files in the folder ``--data``, or a hub id; the first that is there.

    Parquet files are ``<data>/<parquet>_<split>.parquet``. ``columns`` names a role's column where it is not called
    like its role; ``hub_columns`` the same on the hub, where ``a.b`` is field b of column a. ``form`` says that the
    files are others: PLONER's CoNLL files or MRQA's JSON lines, in ``<data>/<folder>``. With ``test_share`` all samples
    are one pool, of which that share is cut off as the test split, by seed. ``labels`` fixes the set of labels;
    without it, it is that of the training samples. ``timed_as`` names the data set whose seconds a table has.
    """

    name: Name
    timed_as: Name | None = None
    task: TaskName = "text-classification"
    embedded: str | None = None
    form: Literal["parquet", "ploner", "mrqa"] = "parquet"
    parquet: str | None = None
    folder: str | None = None
    hub: str | None = None
    hub_config: str | None = None
    hub_revision: str | None = None
    columns: dict[Role, str] = msgspec.field(default_factory=dict)
    hub_columns: dict[Role, str] = msgspec.field(default_factory=dict)
    splits: SplitNames = SplitNames()
    hub_splits: SplitNames = SplitNames()
    test_share: Fraction | None = None
    labels: tuple[str, ...] | None = None
    classes: ClassesProfile | None = None

    def __post_init__(self) -> None:
        if self.classes is not None and self.classes.kind not in _RULES[self.task]:
            allowed = ", ".join(_RULES[self.task])
            raise ValueError(f"classes.kind '{self.classes.kind}' is not one for {self.task}; choose from: {allowed}")
        if (self.form != "parquet") != (self.folder is not None):
            raise ValueError("folder belongs to the forms ploner and mrqa, and those need it")

    @property
    def class_rule(self) -> ClassRule:
        """The rule for classes: the profile's, else the first of its task."""
        return self.classes.kind if self.classes is not None else _RULES[self.task][0]
