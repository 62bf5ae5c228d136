"""Keys for a run: the controller's and its agents' in one folder, all of them allowed."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from harness.keys import CONTROLLER, AllowedList, make_pair, read_public
from harness.keys.folder import read_secret
from harness.transport import CurveClient


def make_keys(folder: Path, names: Sequence[str] = ("agent-1", "agent-2")) -> Path:
    """The folder, with keys of the controller and of these agents."""
    make_pair(folder, CONTROLLER)
    for name in names:
        AllowedList(folder).add(make_pair(folder, name))
    return folder


def security_of(folder: Path, name: str) -> CurveClient:
    """How somebody connects who has the secret key of this name."""
    _, pair = read_secret(folder / f"{name}.secret")
    return CurveClient(name, pair, read_public(folder / f"{CONTROLLER}.public").key)


def appending(*options: str | Path) -> list[str]:
    """What goes before a command line to have it run with more options at its end."""
    return ["sh", "-c", f'exec "$@" {shlex.join(map(str, options))}', "sh"]
