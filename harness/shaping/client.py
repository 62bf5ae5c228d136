"""The client of the privileged helper: an agent or a controller that wants its link kept by the kernel."""

from __future__ import annotations

import errno
import select
import socket
from pathlib import Path
from typing import TypeVar

import msgspec

from harness.errors import ShapingError
from harness.links.kernel import Flow, address_of
from harness.shaping import words as w
from harness.shaping.allowance import bare

ANSWER_S = 10.0
"""The helper answers within a fraction of a second; so long at most."""
INSTEAD = "or set link.shaping: user"

R = TypeVar("R", bound=w.Reply)


class Shaper:
    """A connection to the helper. Flows live as long as it does: whatever ends this process ends them too.

    Not for several threads. Each call waits for the helper's answer, some hundredths of a second.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection

    @classmethod
    def connect(cls, path: Path | str = w.SOCKET) -> Shaper:
        """Connect to the helper.

        Raises:
            ShapingError: it does not run, or does not let this user in.
        """
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        connection.settimeout(ANSWER_S)
        try:
            connection.connect(str(path))
        except OSError as error:
            connection.close()
            raise ShapingError(_unreached(path, error)) from None
        return cls(connection)

    def shape(self, flow: Flow) -> w.Applied:
        """Keep a flow at its rate from now on.

        Raises:
            ShapingError: this machine's kernel, its interface or the helper cannot; says what is missing.
        """
        return self._ask(w.Shape(flow=msgspec.structs.replace(flow, rate=bare(flow.rate))), w.Shaped).applied

    def release(self, flow: Flow) -> None:
        """Keep it no longer. Raises ShapingError as :meth:`shape` does."""
        self._ask(w.Release(peer=flow.peer, port=flow.port, at=flow.at), w.Released)

    def counted(self, flow: Flow) -> w.Counted:
        """What went through the flow's class so far.

        Raises:
            ShapingError: the class is gone, or the helper is: since when, nothing tells.
        """
        return self._ask(w.Count(peer=flow.peer, port=flow.port, at=flow.at), w.Counts).counted

    def check(self, peer: str) -> str:
        """The interface towards an address, on which flows to it could be shaped; nothing stays behind.

        Raises:
            ShapingError: it could not be.
        """
        return self._ask(w.Check(peer=peer), w.Checked).interface

    def lost(self) -> bool:
        """Whether the helper has gone, and the flows with it; asks nobody and waits for nothing."""
        try:
            return bool(select.select([self._socket], [], [], 0)[0])  # it speaks only when spoken to
        except (OSError, ValueError):
            return True

    def close(self) -> None:
        """Let go of the helper and of all flows."""
        self._socket.close()

    def _ask(self, request: w.Request, kind: type[R]) -> R:
        asked = msgspec.msgpack.encode(request)
        if len(asked) > w.MAX_REQUEST_BYTES:
            raise ShapingError(
                f"the link's trace has more rates than the helper for kernel shaping takes; shorten it, {INSTEAD}"
            )
        try:
            self._socket.sendall(asked)
            answer = self._socket.recv(w.MAX_REQUEST_BYTES)
        except OSError as error:
            self.close()  # an answer that comes late would be taken for that of the next request
            raise ShapingError(f"the helper for kernel shaping does not answer ({error}); {_START}") from None
        if not answer:
            raise ShapingError(f"the helper for kernel shaping has ended, and the link is not shaped; {_START}")
        try:
            reply: w.AnyReply = msgspec.msgpack.decode(answer, type=w.AnyReply)
        except msgspec.DecodeError:
            raise ShapingError(
                f"the helper for kernel shaping is of another version; start it again, {INSTEAD}"
            ) from None
        if isinstance(reply, w.Refused):
            raise ShapingError(f"kernel shaping is not possible here: {reply.reason}, {INSTEAD}")
        if not isinstance(reply, kind):
            raise ShapingError(f"the helper for kernel shaping answered something else; start it again, {INSTEAD}")
        return reply


def peer_of(host: str) -> str:
    """The IP address of a host as a flow's ``peer``, by the same choice as ZeroMQ's sockets: IPv6 where there is one.

    Raises:
        ShapingError: the name cannot be resolved.
    """
    try:
        found = socket.getaddrinfo(
            host.strip("[]"), None, socket.AF_INET6, socket.SOCK_STREAM, flags=socket.AI_V4MAPPED
        )
        return str(address_of(str(found[0][4][0])))
    except (OSError, ValueError) as error:
        raise ShapingError(
            f"the address of {host} is needed for kernel shaping and was not found ({error}); name it by its IP "
            f"address, {INSTEAD}"
        ) from None


_START = f"start it again (federa-bench shaper, as root) {INSTEAD}"


def _unreached(path: Path | str, error: OSError) -> str:
    if error.errno in (errno.EACCES, errno.EPERM):
        what = f"this user may not use {path}; add it to the group of that socket"
    elif error.errno in (errno.ENOENT, errno.ECONNREFUSED):
        what = f"nobody listens at {path}; start the helper (federa-bench shaper, as root)"
    else:
        what = f"{path} cannot be used ({error.strerror or error}); start the helper (federa-bench shaper, as root)"
    return f"kernel shaping needs its privileged helper, and {what} {INSTEAD}"
