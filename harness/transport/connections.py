"""The TCP connections behind a server's messages, so that those of a revoked key can be cut at once.

libzmq has no call for that, but tells of each message the descriptor it came over. The number alone says little: by the
time it is used, it may belong to another connection. Hence the socket's inode and the address of its other end as well.
"""

from __future__ import annotations

import os
import socket
import stat
import struct
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass

import zmq

MOST_OF_A_KEY = 64
"""So many connections of one key are remembered, the ones used last; an agent has two."""
DISCARD = struct.pack("ii", 1, 0)
"""SO_LINGER with no time: what is still to be sent is thrown away when the socket is closed."""


@dataclass
class Connection:
    """One TCP connection: its descriptor here, its inode, its other end's address; ``noted`` grows with each message.

    A message that is read late may name a descriptor that is another connection's by now: the last word counts.
    """

    fd: int
    inode: int
    address: str
    noted: int

    def cut(self) -> bool:
        """End it, unsent bytes and all; False where it is no more, or the descriptor is another's by now."""
        try:
            fd = os.dup(self.fd)
        except OSError:
            return False
        try:
            if _inode_of(fd) != self.inode:
                return False
            with socket.socket(fileno=os.dup(fd)) as own:
                if _host_of(own) != self.address:
                    return False
                own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, DISCARD)
                own.shutdown(socket.SHUT_RDWR)
                return True
        except OSError:
            return False
        finally:
            os.close(fd)


class Connections:
    """The connections that messages came over, by key, each under a name (``line``) that the caller gives it."""

    def __init__(self) -> None:
        self._of_user: dict[str, OrderedDict[Hashable, Connection]] = {}
        self._users: dict[Hashable, str] = {}
        self._noted = 0

    def note(self, line: Hashable, user: str, frame: zmq.Frame) -> None:
        """A message of this key came."""
        fd = int(frame.get(zmq.SRCFD))
        inode = _inode_of(fd)
        if inode is None:
            return  # closed since the message came
        self._noted += 1
        held = self._of_user[user].get(line) if self._users.get(line) == user else None
        if held is not None and held.fd == fd and held.inode == inode:  # the same as before, as nearly always
            held.noted = self._noted
            self._of_user[user].move_to_end(line)
            return
        if self._users.get(line, user) != user:
            del self._of_user[self._users[line]][line]
        theirs = self._of_user.setdefault(user, OrderedDict())
        theirs[line] = Connection(fd, inode, str(frame.get("Peer-Address")), self._noted)
        theirs.move_to_end(line)
        self._users[line] = user
        if len(theirs) > MOST_OF_A_KEY:
            del self._users[theirs.popitem(last=False)[0]]

    def user_of(self, line: Hashable) -> str | None:
        """Whose connection it is; None if no message came over it."""
        return self._users.get(line)

    def cut(self, user: str) -> int:
        """End the connections of a key, and forget them; returns how many were ended."""
        theirs: Mapping[Hashable, Connection] = self._of_user.pop(user, {})
        for line in theirs:
            del self._users[line]
        return sum(held.cut() for held in theirs.values() if not self._is_anothers(held))

    def _is_anothers(self, held: Connection) -> bool:
        others = (other for lines in self._of_user.values() for other in lines.values())
        return any(other.inode == held.inode and other.noted > held.noted for other in others)


def _inode_of(fd: int) -> int | None:
    try:
        found = os.fstat(fd)
    except OSError:
        return None
    return found.st_ino if stat.S_ISSOCK(found.st_mode) else None


def _host_of(own: socket.socket) -> str:
    """The other end's address as libzmq writes it."""
    return str(socket.getnameinfo(own.getpeername(), socket.NI_NUMERICHOST | socket.NI_NUMERICSERV)[0])
