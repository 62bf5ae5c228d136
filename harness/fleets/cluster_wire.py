"""What a controller and the trainers of a cluster say to each other, as msgpack bytes."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from harness.fleets.workforce import Ended, Work
from harness.learning.spec import PrepareSpec


class Built(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a trainer's model is built; ``broken`` says why not, ``usage``: whether that is the user's to mend."""

    broken: str | None = None
    usage: bool = False


class Versions(msgspec.Struct, frozen=True, kw_only=True):
    """What decides the bits that are learned: the versions of packages, and a digest of this package's source."""

    packages: dict[str, str | None]
    sources: str


_encoder = msgspec.msgpack.Encoder()
_works: msgspec.msgpack.Decoder[tuple[Work, ...]] = msgspec.msgpack.Decoder(tuple[Work, ...])
_ended: msgspec.msgpack.Decoder[tuple[Ended, ...]] = msgspec.msgpack.Decoder(tuple[Ended, ...])
_built: msgspec.msgpack.Decoder[Built] = msgspec.msgpack.Decoder(Built)
_spec: msgspec.msgpack.Decoder[PrepareSpec] = msgspec.msgpack.Decoder(PrepareSpec)
_versions: msgspec.msgpack.Decoder[Versions] = msgspec.msgpack.Decoder(Versions)


def packed(value: PrepareSpec | Built | Versions | Sequence[Work] | Sequence[Ended]) -> bytes:
    """Any of these as bytes."""
    return _encoder.encode(value)


def works_of(data: bytes) -> tuple[Work, ...]:
    """The works of a group."""
    return _works.decode(data)


def ended_of(data: bytes) -> tuple[Ended, ...]:
    """How the works of a group ended."""
    return _ended.decode(data)


def built_of(data: bytes) -> Built:
    """Whether a model is built."""
    return _built.decode(data)


def spec_of(data: bytes) -> PrepareSpec:
    """What a trainer is told once."""
    return _spec.decode(data)


def versions_of(data: bytes) -> Versions:
    """What a node has."""
    return _versions.decode(data)
