"""The seam for encryption and for who is who; nothing is encrypted yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import zmq


class Security(Protocol):
    """The seam for encryption and who is who: sets a socket's options before it is bound or connected."""

    def protect_server(self, socket: zmq.Socket[bytes]) -> None:
        """Set what a listening socket needs."""

    def protect_client(self, socket: zmq.Socket[bytes]) -> None:
        """Set what a connecting socket needs."""


@dataclass(frozen=True)
class NoSecurity:
    """Plain sockets: anyone who reaches the port may take part, hence loopback by default."""

    def protect_server(self, socket: zmq.Socket[bytes]) -> None:
        """Nothing to set."""

    def protect_client(self, socket: zmq.Socket[bytes]) -> None:
        """Nothing to set."""
