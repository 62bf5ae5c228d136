"""Safetensors files of a few bytes, made by hand."""

from __future__ import annotations

import json
from typing import Any


def framed(header: bytes, data: bytes = b"") -> bytes:
    """A file with this header, whatever it says."""
    return len(header).to_bytes(8, "little") + header + data


def tensor_file(data: bytes, name: str = "x") -> bytes:
    """A file that holds one tensor of bytes."""
    return framed(header_of({name: entry(len(data))}), data)


def header_of(entries: dict[str, Any]) -> bytes:
    """Entries by name as the header's bytes."""
    return json.dumps(entries).encode()


def entry(end: int, start: int = 0, dtype: str = "U8", shape: list[int] | None = None) -> dict[str, Any]:
    """What a header says of a tensor; of bytes in one dimension unless told otherwise."""
    return {"dtype": dtype, "shape": [end - start] if shape is None else shape, "data_offsets": [start, end]}
