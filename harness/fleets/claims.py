"""What an agent claims of its work, held against what the controller knows. Pure."""

from __future__ import annotations

from harness.records import ClientRecord

LARGEST = 2**53
"""Larger counts are no whole numbers in a double any more, and no device ever counts so far."""


def fault_of(record: ClientRecord, state_bytes: int, update_bytes: int) -> str | None:
    """Why a record cannot be true, in words; None if it may be.

    ``state_bytes`` and ``update_bytes`` are the sizes of the blobs that went to the agent and came from it.
    """
    for name in record.__struct_fields__:
        value = getattr(record, name)
        if isinstance(value, (int, float)) and not 0 <= value <= LARGEST:  # nor is NaN
            return f"its {name} is {value}, which nobody can measure"
    if record.samples < 1:
        return "its update is of no samples; one needs at least one"
    for name, claimed, known in (
        ("download_bytes", record.download_bytes, state_bytes),
        ("upload_bytes", record.upload_bytes, update_bytes),
    ):
        if claimed != known:
            return f"its {name} are {claimed}, but {known} are known"
    if record.resumed_bytes > state_bytes + update_bytes:
        return f"its resumed_bytes are {record.resumed_bytes}, more than was to be moved"
    return None
