"""States of a simulated run: bytes whose history shows, so that a wrong one, or one of another round, is found out."""

from __future__ import annotations

import hashlib
from pathlib import Path
from random import Random

from small_tensors import tensor_file

from harness.tensorfile import layout

STATE_BYTES = 20_000
PARTS = 4
"""Of a state, one is new after each round."""


def trained_update(state: bytes, client: int, seed: int) -> bytes:
    """What a training makes of a state: another one of the same layout."""
    return tensor_file(Random(f"{hashlib.sha256(state).hexdigest()} {client} {seed}").randbytes(STATE_BYTES))


def next_state(before: bytes, round: int, updates: bytes) -> tuple[bytes, bytes]:
    """The state after a round, and a lean file that makes it of the one before."""
    new = Random(hashlib.sha256(updates).hexdigest()).randbytes(STATE_BYTES // PARTS)
    part = round % PARTS
    return _patched(before, part, new), tensor_file(new, f"part {part}")


def merged(held: bytes, lean: Path) -> bytes:
    """The state that a lean file makes of the one that is ``held``."""
    (tensor,) = layout(lean).tensors
    return _patched(held, int(tensor.name.removeprefix("part ")), lean.read_bytes()[-STATE_BYTES // PARTS :])


def _patched(state: bytes, part: int, new: bytes) -> bytes:
    start = len(state) - STATE_BYTES + part * len(new)
    return state[:start] + new + state[start + len(new) :]
