"""The events of a run while it is written: each line is read once."""

from __future__ import annotations

from pathlib import Path

import msgspec

from harness.rounds.events import AnyEvent


class Tail:
    """Whole lines alone: a resume cuts off what a killed controller left of its last one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._events: list[AnyEvent] = []
        self._decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)

    def read(self) -> list[AnyEvent]:
        """All events so far."""
        with self._path.open("rb") as file:
            file.seek(self._offset)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._offset += len(whole)
        self._events += [self._decoder.decode(line) for line in whole.splitlines()]
        return self._events
