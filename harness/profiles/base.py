"""What the profiles are made of: their base, and the types of single values."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta

FederaMethod = Literal["fedft", "fedbf", "fedap", "fedlr", "federa"]
AggregationMethod = Literal[
    "ffa",
    "fra",
    "fra-ffa",
    "flexlora",
    "flora",
    "fedex",
    "rolora",
    "fedsa",
    "fedsvd",
    "slora",
    "hetlora",
    "lora-fair",
]
Method = Literal[FederaMethod, AggregationMethod, "central"]
FEDERA_METHODS: tuple[Method, ...] = get_args(FederaMethod)
"""Those of FeDeRA's tables, in their order."""
AGGREGATION_METHODS: tuple[Method, ...] = get_args(AggregationMethod)
"""Ways of aggregating low-rank adapters, the field of FRA-LoRA."""
METHODS: tuple[Method, ...] = get_args(Method)
FleetKind = Literal["zeromq", "virtual", "ray"]
"""Real agents; virtual devices, trained on this machine; virtual devices, trained on a Ray cluster."""

Count = Annotated[int, Meta(ge=1)]
Seed = Annotated[int, Meta(ge=0, lt=2**32)]
Seconds = Annotated[float, Meta(gt=0)]
NonNegative = Annotated[float, Meta(ge=0)]
Fraction = Annotated[float, Meta(gt=0, le=1)]
Rate = Annotated[float, Meta(gt=0)]
Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*\Z", max_length=64)]


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every profile: frozen, keyword-only, unknown keys refused."""
