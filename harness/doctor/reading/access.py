"""Groups of this process, and its keys as a child process finds them."""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
import sys
from pathlib import Path

import msgspec

from harness.doctor.facts import Groups, Keys
from harness.doctor.reading.place import Place
from harness.doctor.reading.software import board, installed_version
from harness.keys import default_folder, expanded

MODULE = "harness.doctor.keys_child"
CHILD_S = 10.0


def groups(place: Place) -> Groups:
    """Which groups there are, and which of them this process has."""
    names = _names(place.text("etc/group") or "")
    own = {os.getegid(), *os.getgroups()}
    return Groups(
        jetson=board(place).jetson,
        user=_user(),
        root=os.geteuid() == 0,
        there=tuple(names),
        mine=tuple(name for name, number in names.items() if number in own),
        jetson_stats=installed_version("jetson-stats") is not None,
    )


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _names(group_file: str) -> dict[str, int]:
    rows = [line.split(":") for line in group_file.splitlines()]
    return {row[0]: int(row[2]) for row in rows if len(row) >= 3 and row[2].isdigit()}


def keys(place: Place) -> Keys:
    """What the agent or the controller would find, and what the controller says to the key.

    In a process of its own: computing keys while sockets of the same process are open has aborted processes.
    """
    command = [sys.executable, "-m", MODULE, place.role]
    command += ["--keys", str(place.keys)] if place.keys is not None else []
    command += ["--name", place.name] if place.name is not None else []
    command += ["--connect", place.connect] if place.connect is not None else []
    command += ["--handshake"] if place.handshake else []
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=CHILD_S, check=True)
    found = msgspec.json.decode(ended.stdout, type=Keys)
    return msgspec.structs.replace(found, open_folder=_open_folder(expanded(place.keys or default_folder())))


def _open_folder(folder: Path) -> str | None:
    """Whether others may change what lies in the folder of keys."""
    try:
        mode = stat.S_IMODE(folder.stat().st_mode)
    except OSError:
        return None
    return f"others may write into {folder} (mode {mode:04o})" if mode & 0o022 else None
