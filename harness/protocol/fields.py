"""Types of the fields of messages, as narrow as what an honest sender writes: all else is refused as it is decoded."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

# Patterns end in \Z: to `$` a name with a line's end behind it would be one.
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Size = Annotated[int, Meta(ge=0)]
FileName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}\Z")]
Port = Annotated[int, Meta(ge=1, le=65535)]
Text = Annotated[str, Meta(max_length=4000)]
Session = Annotated[str, Meta(pattern=r"^[0-9a-f]{16}\Z")]
AgentName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")]


class Message(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """Base of every message."""


class BlobRef(msgspec.Struct, frozen=True, kw_only=True):
    """Content by its hash: what it is called where it is used (a plain file name), its SHA-256 (hex) and size."""

    name: FileName
    sha256: Sha256
    size_bytes: Size


class TaskRef(msgspec.Struct, frozen=True, kw_only=True):
    """Which task: a client's training in a round, and the how-manieth try this is (from 1)."""

    round: int
    client: int
    attempt: int
