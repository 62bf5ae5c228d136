"""What all facts share. Pure data; null is "could not be told"."""

from __future__ import annotations

from typing import Literal

import msgspec

Role = Literal["agent", "controller"]


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all facts."""
