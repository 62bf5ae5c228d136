"""A wire that counts the bytes it carries each way and keeps none of them, however many there are."""

from __future__ import annotations

import asyncio
from collections import Counter

from wire import Connection, Wire

AT_ONCE_BYTES = 256 * 1024


class Meter(Wire):
    """A kind wire; ``carried_bytes`` goes by "up", from agents to the controller, and "down"."""

    def __init__(self) -> None:
        super().__init__()
        self.carried_bytes: Counter[str] = Counter()

    async def _carry(
        self, connection: Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: str
    ) -> None:
        while data := await reader.read(AT_ONCE_BYTES):
            writer.write(data)
            await writer.drain()
            self.carried_bytes[way] += len(data)
