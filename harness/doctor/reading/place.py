"""Where facts are read: files below a root that may be a made tree, commands of this machine alone."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.doctor.facts import Role

MAX_TEXT_BYTES = 1 << 20
COMMAND_S = 2.0
"""A command that hangs is ended, and not left behind."""


@dataclass(frozen=True)
class Place:
    """A machine as one role sees it. ``folder`` is where the cache or the runs lie; ``live``: not a made tree."""

    role: Role
    root: Path = Path("/")
    keys: Path | None = None
    name: str | None = None
    connect: str | None = None
    folder: Path | None = None
    handshake: bool = False
    import_torch: bool = False

    @property
    def live(self) -> bool:
        """Whether commands of this machine may be asked: they know nothing of a made tree."""
        return self.root == Path("/")

    def text(self, path: str) -> str | None:
        """A small file below the root, without blanks and zeros around it; None where it cannot be read."""
        return read_text(self.root / path)

    def integer(self, path: str) -> int | None:
        """The number that such a file holds; None where it holds none."""
        return integer(self.text(path))

    def every(self, pattern: str) -> list[Path]:
        """Paths below the root that match, in order."""
        return sorted(self.root.glob(pattern))

    def answer(self, *command: str) -> str | None:
        """What a command of this machine prints; None of a made tree, or where it is not here, fails or hangs."""
        return answer_of(command) if self.live else None


def read_text(path: Path) -> str | None:
    """As :meth:`Place.text`, of any path."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_TEXT_BYTES).decode("utf-8", "replace").strip(" \t\r\n\0")
    except OSError:
        return None


def integer(text: str | None) -> int | None:
    """The whole number that a text is."""
    try:
        return int(text) if text else None
    except ValueError:
        return None


def answer_of(command: Sequence[str]) -> str | None:
    """What a command prints; None where it is not here, fails or takes too long."""
    try:
        ended = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=COMMAND_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return None
    return ended.stdout if ended.returncode == 0 else None
