"""Typed, frozen profiles: what an experiment is, checked strictly.

A profile file is YAML; its keys are the fields of these structs, nothing else is accepted. An experiment names its
model, data set, device and link; :mod:`harness.library` reads the files and puts their contents in place of the names,
so that one :class:`Experiment` holds all that decides a run.
"""

from harness.profiles.base import AGGREGATION_METHODS, FEDERA_METHODS, METHODS, FleetKind, Method
from harness.profiles.choices import initialisation_of
from harness.profiles.experiment import Experiment, build, fingerprint
from harness.profiles.fleet import (
    AgentsProfile,
    DeviceProfile,
    LinkProfile,
    RateProfile,
    RecordProfile,
    ServerSeconds,
    Setting,
    SimulationProfile,
    TrainSeconds,
    TransferSeconds,
)
from harness.profiles.learning import (
    EvaluateProfile,
    PartitionProfile,
    RoundsProfile,
    SeedsProfile,
    TargetProfile,
    TrainProfile,
)
from harness.profiles.methods import FraProfile, Initialisation, MethodProfile, PrivacyProfile, ServerProfile
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
    "AGGREGATION_METHODS",
    "FEDERA_METHODS",
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
    "FraProfile",
    "Initialisation",
    "LinkProfile",
    "Method",
    "MethodProfile",
    "ModelProfile",
    "ModulesProfile",
    "PartitionProfile",
    "PrivacyProfile",
    "RateProfile",
    "RecordProfile",
    "Role",
    "RoundsProfile",
    "SeedsProfile",
    "ServerProfile",
    "ServerSeconds",
    "Setting",
    "SimulationProfile",
    "SiteProfile",
    "SplitNames",
    "TargetProfile",
    "TaskName",
    "TrainProfile",
    "TrainSeconds",
    "TransferSeconds",
    "build",
    "fingerprint",
    "initialisation_of",
]
