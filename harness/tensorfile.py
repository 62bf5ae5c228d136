"""The header of a safetensors file, read with bounds and without the library: what tensors a file says it holds.

Format: 8 bytes, the header's length (little endian); the header, a JSON object from names to dtype, shape and
data_offsets, and perhaps ``__metadata__``, texts by name; then the bytes of all tensors, without gaps. See
https://github.com/huggingface/safetensors#format. No tensor is read here, so a file of any size takes no memory.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, BinaryIO, NamedTuple

import msgspec
from msgspec import Meta

from harness.errors import BlobError
from harness.protocol.text import plain

MAX_HEADER_BYTES = 16 * 1024 * 1024
REMEMBERED_BYTES = 1024 * 1024
"""Longer headers are read anew each time: nobody is to fill the memory with them."""
LENGTH_BYTES = 8
DTYPE_BYTES = {
    "BOOL": 1,
    "U8": 1,
    "I8": 1,
    "F8_E5M2": 1,
    "F8_E4M3": 1,
    "U16": 2,
    "I16": 2,
    "F16": 2,
    "BF16": 2,
    "U32": 4,
    "I32": 4,
    "F32": 4,
    "U64": 8,
    "I64": 8,
    "F64": 8,
}
METADATA = "__metadata__"

Size = Annotated[int, Meta(ge=0, le=2**48)]


class Tensor(msgspec.Struct, frozen=True):
    """One tensor as the header tells of it."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.dtype} {list(self.shape)}"


class Layout(msgspec.Struct, frozen=True):
    """The tensors of a file, sorted by name; where they stand in it does not count."""

    tensors: tuple[Tensor, ...]

    def difference(self, expected: Layout) -> str | None:
        """In words, the first way in which this is not ``expected``; None if it is."""
        if self == expected:
            return None
        mine, theirs = ({tensor.name: tensor for tensor in layout.tensors} for layout in (self, expected))
        for name in sorted(mine.keys() | theirs.keys()):
            if name not in mine:
                return f"it lacks tensor {name!r:.80}"
            if name not in theirs:
                return f"it has tensor {name!r:.80}, which the state has not"
            if mine[name] != theirs[name]:
                return f"its tensor {name!r:.80} is {mine[name]} instead of {theirs[name]}"
        return None


class Contents(NamedTuple):
    """What a file holds; ``starts`` tells at which of its bytes each tensor begins, by name."""

    layout: Layout
    starts: Mapping[str, int]


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    dtype: str
    shape: Annotated[list[Size], Meta(max_length=16)]
    data_offsets: tuple[Size, Size]

    @property
    def size_bytes(self) -> int:
        return DTYPE_BYTES[self.dtype] * math.prod(self.shape)


_header = msgspec.json.Decoder(dict[str, msgspec.Raw])
_entry = msgspec.json.Decoder(_Entry)
_metadata = msgspec.json.Decoder(dict[str, str])


def layout(path: Path) -> Layout:
    """The tensors that a safetensors file holds.

    Raises:
        BlobError: as :func:`contents` does, or there is no such file.
    """
    try:
        with path.open("rb") as file:
            return contents(file, path).layout
    except OSError as error:
        raise BlobError(f"{path} cannot be read ({error.strerror}); fetch or write it again") from None


def contents(file: BinaryIO, path: Path) -> Contents:
    """What an open safetensors file holds; ``path`` is its name for a person.

    Raises:
        BlobError: the file cannot be read, or its header is not one: too long, no JSON of the right shape, an unknown
            dtype, or offsets that leave gaps, overlap, or do not end where the file does.
    """
    try:
        header, data_bytes = _read(file)
        told = _told if len(header) <= REMEMBERED_BYTES else _told.__wrapped__
        return told(header, data_bytes)
    except OSError as error:
        raise BlobError(f"{path} cannot be read ({error.strerror}); fetch or write it again") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise BlobError(f"{path} is no safetensors file: {plain(str(error))[:200]}; fetch or write it again") from None


@functools.lru_cache(maxsize=4)
def _told(header: bytes, data_bytes: int) -> Contents:
    """What a header says of the bytes behind it. The updates of a round have one header, which is read once."""
    entries = _entries(header)
    if fault := _fault_of(entries, data_bytes):
        raise ValueError(fault)
    begin = LENGTH_BYTES + len(header)
    return Contents(
        Layout(tuple(Tensor(name, entries[name].dtype, tuple(entries[name].shape)) for name in sorted(entries))),
        MappingProxyType({name: begin + entry.data_offsets[0] for name, entry in entries.items()}),
    )


def _read(file: BinaryIO) -> tuple[bytes, int]:
    """The header, and how many bytes follow it."""
    file_bytes = file.seek(0, 2)
    file.seek(0)
    length = file.read(LENGTH_BYTES)
    header_bytes = int.from_bytes(length, "little")
    most_bytes = min(MAX_HEADER_BYTES, file_bytes - LENGTH_BYTES)
    if len(length) < LENGTH_BYTES or header_bytes > most_bytes:
        raise ValueError(f"its header would be {header_bytes} bytes long, of a file of {file_bytes} bytes")
    return file.read(header_bytes), file_bytes - LENGTH_BYTES - header_bytes


def _entries(header: bytes) -> dict[str, _Entry]:
    """Raises msgspec.DecodeError or ValueError where the header is not what it should be."""
    parts = _header.decode(header)
    json.loads(header, object_pairs_hook=_unequal)
    if METADATA in parts:
        _metadata.decode(parts.pop(METADATA))
    return {name: _entry.decode(part) for name, part in parts.items()}


def _unequal(pairs: list[tuple[str, Any]]) -> None:
    """Of equal keys one reader takes the first, another the last: there must be none."""
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("its header has a key twice")


def _fault_of(entries: dict[str, _Entry], data_bytes: int) -> str | None:
    end = 0
    for name, entry in sorted(entries.items(), key=lambda item: item[1].data_offsets):
        if entry.dtype not in DTYPE_BYTES:
            return f"tensor {name!r:.80} has the unknown dtype {entry.dtype!r:.20}"
        start, stop = entry.data_offsets
        if start != end:
            return f"tensor {name!r:.80} begins at byte {start} instead of {end}"
        if stop - start != entry.size_bytes:
            return f"tensor {name!r:.80} takes {stop - start} bytes, but its shape asks for {entry.size_bytes}"
        end = stop
    return None if end == data_bytes else f"its tensors end at byte {end} of {data_bytes}"
