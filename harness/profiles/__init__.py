"""Typed, frozen profiles: what an experiment is, checked strictly.

A profile file is YAML; its keys are the fields of these structs, nothing else is accepted. An experiment names its
model, data set, device and link; :mod:`harness.library` reads the files and puts their contents in place of the names,
so that one :class:`Experiment` holds all that decides a run.
"""

from harness.profiles.base import METHODS, FleetKind, Method
from harness.profiles.experiment import Experiment, build, fingerprint
from harness.profiles.fleet import (
    AgentsProfile,
    DeviceProfile,
    LinkProfile,
    RateProfile,
    RecordProfile,
    ServerSeconds,
    Setting,
    TrainSeconds,
    TransferSeconds,
)
from harness.profiles.learning import (
    EvaluateProfile,
    MethodProfile,
    PartitionProfile,
    RoundsProfile,
    SeedsProfile,
    TargetProfile,
    TrainProfile,
)
from harness.profiles.sources import (
    METRICS,
    ClassesProfile,
    ClassRule,
    DatasetProfile,
    ModelProfile,
    ModulesProfile,
    Role,
    SiteProfile,
    SplitNames,
    TaskName,
)

__all__ = [
    "METHODS",
    "METRICS",
    "AgentsProfile",
    "ClassRule",
    "ClassesProfile",
    "DatasetProfile",
    "DeviceProfile",
    "EvaluateProfile",
    "Experiment",
    "FleetKind",
    "LinkProfile",
    "Method",
    "MethodProfile",
    "ModelProfile",
    "ModulesProfile",
    "PartitionProfile",
    "RateProfile",
    "RecordProfile",
    "Role",
    "RoundsProfile",
    "SeedsProfile",
    "ServerSeconds",
    "Setting",
    "SiteProfile",
    "SplitNames",
    "TargetProfile",
    "TaskName",
    "TrainProfile",
    "TrainSeconds",
    "TransferSeconds",
    "build",
    "fingerprint",
]
