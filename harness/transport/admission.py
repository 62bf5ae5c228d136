"""Who may take part at a secured server: handshakes answered, the list read again, revoked keys cut off."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Mapping
from typing import Any

import zmq

from harness.transport.connections import Connections
from harness.transport.security import CurveServer
from harness.transport.zap import ZapHandler

log = logging.getLogger(__name__)

REREAD_S = 0.5
"""The list of allowed keys is asked for again after so long."""
MOST_NAMED = 16
"""So many refused keys are named in the log; more of them are a flood."""


class Admission:
    """The gate of one server. ``user`` is a public key in Z85, as it was proven in the handshake."""

    def __init__(self, context: zmq.Context[Any], security: CurveServer) -> None:
        self._allowed, self._allow_command = security.allowed, security.allow_command
        self._names: Mapping[str, str] = dict(security.allowed())
        self._read_s = float("-inf")
        self._zap = ZapHandler(context)
        self.connections = Connections()
        self._revoked: set[str] = set()
        self._refused: set[str] = set()
        self._taken_out: set[str] = set()

    @property
    def socket(self) -> zmq.Socket[bytes]:
        """What to wait for: handshakes that want an answer."""
        return self._zap.socket

    @property
    def has_revoked(self) -> bool:
        """Whether keys were revoked that :meth:`newly_revoked` has not told of."""
        return bool(self._revoked)

    def tend(self, now_s: float) -> int:
        """Read the list again where it is time, then answer handshakes; returns how many were refused."""
        # Before each handshake, too: it costs less than the handshake did, and whoever was just let in gets in.
        if now_s - self._read_s >= REREAD_S or self._zap.asked():
            self._read_s = now_s
            self._take(dict(self._allowed()))
        refused = self._zap.answer(self._names)
        for key in refused:
            self._name_refused(key)
        return len(refused)

    def admit(self, line: Hashable, frame: zmq.Frame) -> str | None:
        """Whose message came over this line; None where its key is not allowed any more: its connections are cut."""
        user = str(frame.get("User-Id"))
        self.connections.note(line, user, frame)
        if user in self._names:
            return user
        self.connections.cut(user)
        return None

    def may_get(self, line: Hashable) -> bool:
        """Whether the key behind this line is still allowed, so that something may be sent to it."""
        return self.connections.user_of(line) in self._names

    def name_of(self, user: str) -> str | None:
        """The name that a key is allowed under."""
        return self._names.get(user)

    def newly_revoked(self) -> set[str]:
        """Keys that lost their permission since this was asked last."""
        revoked, self._revoked = self._revoked, set()
        return revoked

    def close(self) -> None:
        """Answer no more handshakes: they fail from now on."""
        self._zap.socket.close(linger=0)

    def _take(self, names: Mapping[str, str]) -> None:
        lost = self._names.keys() - names.keys()
        renamed = {key for key, name in names.items() if self._names.get(key, name) != name}
        before, self._names = self._names, names
        for key in sorted(lost | renamed):
            cut = self.connections.cut(key)
            log.warning("%s is not allowed any more (key %s); %d of its connections were cut", before[key], key, cut)
        self._revoked |= lost | renamed
        self._taken_out |= lost

    def _name_refused(self, key: str) -> None:
        if key in self._refused | self._taken_out or len(self._refused) >= MOST_NAMED:
            return  # who was just taken out is not to be let in again
        self._refused.add(key)
        log.warning("a device was refused; if it is to take part: %s 'NAME %s'", self._allow_command, key)
