"""Who may ask the helper: processes of root, of its own user, and of its group, by what the kernel says of them."""

from __future__ import annotations

import grp
import os
import socket
import struct
from pathlib import Path
from typing import NamedTuple

from harness.errors import UsageError

SO_PEERGROUPS = 59
"""Of Linux's asm-generic/socket.h; Python does not name it."""
MOST_GROUPS = 256
"""What fits the 1024 bytes that Python reads of an option."""
CAP_NET_ADMIN = 12


class Peer(NamedTuple):
    """The process at the other end of a connection, as it was when it connected."""

    pid: int
    uid: int
    gids: frozenset[int]


def peer_of(connection: socket.socket) -> Peer:
    """The peer of a unix socket (SO_PEERCRED, SO_PEERGROUPS).

    Raises:
        OSError: the kernel does not say, such as of a process in too many groups.
    """
    credentials = struct.Struct("iii")
    pid, uid, gid = credentials.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, credentials.size))
    others = connection.getsockopt(socket.SOL_SOCKET, SO_PEERGROUPS, 4 * MOST_GROUPS)
    return Peer(pid, uid, frozenset((gid, *struct.unpack(f"{len(others) // 4}I", others))))


def may_ask(peer: Peer, own_uid: int, gid: int | None) -> bool:
    """Whether this peer may."""
    return peer.uid in (0, own_uid) or (gid is not None and gid in peer.gids)


def group_id(name: str) -> int:
    """The number of a group.

    Raises:
        UsageError: there is no such group.
    """
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        raise UsageError(
            f"there is no group {name!r}; make it (groupadd --system {name}) or leave --group out"
        ) from None


def may_change_interfaces() -> bool:
    """Whether this process has CAP_NET_ADMIN."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    effective = next(int(line.split()[1], 16) for line in lines if line.startswith("CapEff:"))
    return bool(effective >> CAP_NET_ADMIN & 1)


def open_to(path: Path, gid: int | None) -> None:
    """Let the group, besides the owner, connect to a socket."""
    if gid is not None and path.stat().st_gid != gid:
        os.chown(path, -1, gid)
    path.chmod(0o600 if gid is None else 0o660)
