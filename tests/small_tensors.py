"""Safetensors files of a few bytes, made by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from harness.blobs import blob_of
from harness.learning.outgoing import Lean, Outgoing
from harness.tensorfile import layout


def framed(header: bytes, data: bytes = b"") -> bytes:
    """A file with this header, whatever it says."""
    return len(header).to_bytes(8, "little") + header + data


def tensor_file(data: bytes, name: str = "x") -> bytes:
    """A file that holds one tensor of bytes."""
    return framed(header_of({name: entry(len(data))}), data)


def outgoing(state: Path, lean: Path | None = None, since: str = "") -> Outgoing:
    """What a client is given: a state, and where there is one a ``lean`` file for who holds the state ``since``."""
    less = None if lean is None else Lean(path=lean, sha256=blob_of(lean).sha256, since=since)
    return Outgoing(whole=state, sha256=blob_of(state).sha256, update=layout(state), lean=less)


def header_of(entries: dict[str, Any]) -> bytes:
    """Entries by name as the header's bytes."""
    return json.dumps(entries).encode()


def entry(end: int, start: int = 0, dtype: str = "U8", shape: list[int] | None = None) -> dict[str, Any]:
    """What a header says of a tensor; of bytes in one dimension unless told otherwise."""
    return {"dtype": dtype, "shape": [end - start] if shape is None else shape, "data_offsets": [start, end]}
