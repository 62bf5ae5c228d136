"""What an agent claims of its work, held against what the controller knows. Pure.

Energy and moments, which stand beside it, are judged in :mod:`harness.fleets.beside_claims`.
"""

from __future__ import annotations

from collections.abc import Collection
from operator import attrgetter

import msgspec

from harness.records import ClientRecord

LARGEST = 2**53
"""Larger counts are no whole numbers in a double any more, and no device ever counts so far."""
NUMERIC = (int, float, int | None, float | None)
NUMBERS = tuple(
    field.name for field in msgspec.structs.fields(ClientRecord) if field.type in NUMERIC and field.name != "energy_j"
)
"""What a record counts and measures."""
_numbers_of = attrgetter(*NUMBERS)


def fault_of(record: ClientRecord, given_bytes: Collection[int], update_bytes: int) -> str | None:
    """Why a record cannot be true, in words; None if it may be.

    ``given_bytes`` are the sizes of the blobs one of which went to the agent, ``update_bytes`` is that of its update.
    """
    for name, value in zip(NUMBERS, _numbers_of(record), strict=True):
        if value is not None and not 0 <= value <= LARGEST:  # nor is NaN
            return f"its {name} is {value}, which nobody can measure"
    if record.samples < 1:
        return "its update is of no samples; one needs at least one"
    for name, claimed, known in (
        ("download_bytes", record.download_bytes, given_bytes),
        ("upload_bytes", record.upload_bytes, (update_bytes,)),
    ):
        if claimed not in known:
            return f"its {name} are {claimed}, but {' or '.join(map(str, sorted(known)))} are known"
    if record.resumed_bytes > record.download_bytes + update_bytes:
        return f"its resumed_bytes are {record.resumed_bytes}, more than was to be moved"
    return None
