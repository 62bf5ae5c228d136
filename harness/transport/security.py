"""Who may connect: CurveZMQ (RFC 26) with a key pair on both sides, or plain sockets on loopback.

An agent knows the controller's public key beforehand, and the controller a list of the public keys that it allows: both
are proven in the handshake, and all that follows is encrypted and signed under keys of that connection alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import zmq

from harness.errors import TransportError

DOMAIN = "federa-bench"
"""The ZAP domain. It is enforced: were nobody there to answer for it, each handshake would fail, not succeed."""

Allowed = Callable[[], Mapping[str, str]]
"""Names by public key (Z85) as they are now; asked again and again, so it is to be cheap and not to raise."""


class Security(Protocol):
    """Sets a socket's options before it is bound or connected."""

    def protect(self, socket: zmq.Socket[bytes]) -> None:
        """Set what this side of a connection needs."""


@dataclass(frozen=True)
class NoSecurity:
    """Plain sockets: anyone who reaches the port may take part and read along, hence for loopback alone."""

    def protect(self, socket: zmq.Socket[bytes]) -> None:
        """Nothing to set."""


@dataclass(frozen=True)
class KeyPair:
    """A public key and its secret, Z85 of 40 characters each. The secret does not show in logs and tracebacks."""

    public: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class CurveServer:
    """The controller's side: its own pair, whom it allows, and the command, for people, that allows one more."""

    own: KeyPair
    allowed: Allowed
    allow_command: str = "federa-bench keys allow"

    def protect(self, socket: zmq.Socket[bytes]) -> None:
        """Encrypt, and ask for each key whether it is allowed."""
        socket.setsockopt(zmq.CURVE_SERVER, 1)
        socket.setsockopt_string(zmq.CURVE_SECRETKEY, self.own.secret)
        socket.setsockopt_string(zmq.ZAP_DOMAIN, DOMAIN)
        socket.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)


@dataclass(frozen=True)
class CurveClient:
    """An agent's side: its name and pair, and the public key that the controller has to prove."""

    name: str
    own: KeyPair
    controller: str

    def protect(self, socket: zmq.Socket[bytes]) -> None:
        """Encrypt, and talk to nobody but the owner of the controller's key."""
        socket.setsockopt_string(zmq.CURVE_PUBLICKEY, self.own.public)
        socket.setsockopt_string(zmq.CURVE_SECRETKEY, self.own.secret)
        socket.setsockopt_string(zmq.CURVE_SERVERKEY, self.controller)


def new_pair() -> KeyPair:
    """A new key pair. Make it before sockets are opened: doing both at once has aborted processes.

    Raises:
        TransportError: this libzmq was built without CURVE.
    """
    try:
        public, secret = zmq.curve_keypair()
    except zmq.ZMQError as error:
        raise TransportError(f"no keys can be made here ({error}); install a pyzmq that is built with CURVE") from None
    return KeyPair(public.decode(), secret.decode())


def pair_of(secret: str) -> KeyPair:
    """The pair that a secret key belongs to.

    Raises:
        ValueError: it is no key.
    """
    try:
        return KeyPair(zmq.curve_public(secret.encode()).decode(), secret)
    except (zmq.ZMQError, ValueError) as error:
        raise ValueError("it is no secret key") from error
