"""The helper's loop: clients at a socket, rates that change, a word to end. One thread; nothing waits for a client."""

from __future__ import annotations

import logging
import os
import selectors
import socket
import stat
from collections.abc import Callable
from itertools import count

import msgspec

from harness.errors import UsageError
from harness.protocol.text import plain
from harness.shaping import words as w
from harness.shaping.keeper import Keeper
from harness.shaping.peers import may_ask, peer_of
from harness.shaping.tc import TcError

log = logging.getLogger("shaper")

MOST_CLIENTS = 64
LONGEST_REASON = 1000
"""Characters; parts of a request may stand in it."""

_requests = msgspec.msgpack.Decoder(w.AnyRequest)


class Helper:
    """Serves ``listener`` until ``end_fd`` can be read. ``gid``: the group that may ask besides root and this user."""

    def __init__(self, keeper: Keeper, listener: socket.socket, end_fd: int, gid: int | None) -> None:
        self._keeper, self._listener, self._end_fd, self._gid = keeper, listener, end_fd, gid
        self._clients: dict[socket.socket, int] = {}
        self._numbers = count(1)
        self._selector = selectors.DefaultSelector()
        self._selector.register(listener, selectors.EVENT_READ)
        self._selector.register(end_fd, selectors.EVENT_READ)

    def run(self) -> None:
        """Serve until the end; then every flow is removed.

        Raises:
            TcError: what is left on an interface could not be removed.
        """
        try:
            while self._turn():
                self._keeper.tick()
        finally:
            for client in list(self._clients):
                client.close()
            self._selector.close()
            self._keeper.sweep()

    def _turn(self) -> bool:
        """Wait for something, and do it; False: it is time to end."""
        ready = self._selector.select(self._keeper.wait_s())
        # Newcomers last: those who leave in this very moment make room for them.
        for key, _ in sorted(ready, key=lambda each: each[0].fileobj is self._listener):
            if key.fileobj == self._end_fd:
                return False
            if key.fileobj is self._listener:
                self._admit()
            elif isinstance(key.fileobj, socket.socket):
                self._serve(key.fileobj)
        return True

    def _admit(self) -> None:
        try:
            client, _ = self._listener.accept()
        except OSError as error:
            log.warning("a client could not be admitted: %s", error)
            return
        if not self._allowed(client):
            client.close()
            return
        client.setblocking(False)
        self._clients[client] = next(self._numbers)
        self._selector.register(client, selectors.EVENT_READ)

    def _allowed(self, client: socket.socket) -> bool:
        try:
            peer = peer_of(client)
        except OSError as error:
            log.warning("turned a client away that nothing is known of: %s", error)
            return False
        allowed = may_ask(peer, os.geteuid(), self._gid) and len(self._clients) < MOST_CLIENTS
        log.info("%s process %d of user %d", "admits" if allowed else "turned away", peer.pid, peer.uid)
        return allowed

    def _serve(self, client: socket.socket) -> None:
        try:
            asked = client.recv(w.MAX_REQUEST_BYTES + 1)
            if asked:
                client.send(msgspec.msgpack.encode(self._answer(self._clients[client], asked)))
                return
        except BlockingIOError:
            log.warning("client %d does not read its answers", self._clients[client])
        except OSError as error:
            log.info("client %d: %s", self._clients[client], error)
        self._let_go(client)

    def _let_go(self, client: socket.socket) -> None:
        number = self._clients.pop(client)
        self._selector.unregister(client)
        self._keeper.release_all(number)
        client.close()  # once it sees that, nothing of it is left
        log.info("client %d has gone", number)

    def _answer(self, owner: int, asked: bytes) -> w.Reply:
        try:
            if len(asked) > w.MAX_REQUEST_BYTES:
                raise ValueError("the request is too long")
            return self._done(owner, _requests.decode(asked))
        except Exception as error:
            # TcError and ValueError (of msgspec, too) are what a client may expect. Whatever else comes up (a request
            # nested too deeply, what tc has never said before) ends neither the helper nor the flows of others.
            unforeseen = not isinstance(error, (TcError, ValueError, RecursionError))
            reason = plain(str(error))[:LONGEST_REASON] or type(error).__name__
            log.warning("client %d is refused: %s", owner, reason, exc_info=unforeseen)
            return w.Refused(reason=reason)

    def _done(self, owner: int, request: w.Request) -> w.Reply:
        keeper = self._keeper
        match request:
            case w.Shape():
                return w.Shaped(applied=keeper.shape(owner, request.flow))
            case w.Release():
                keeper.release(owner, request.key)
                return w.Released()
            case w.Count():
                return w.Counts(counted=keeper.counted(owner, request.key))
            case w.Check():
                return w.Checked(interface=keeper.check(request.peer))
        raise ValueError("there is no such request")


def listen(path: str, open_to: Callable[[], None]) -> socket.socket:
    """A listening socket at a path; an old one there is removed. ``open_to`` sets who may connect, before anybody does.

    Raises:
        UsageError: something else is there, which stays.
        OSError: it cannot be made there.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        _make_room(path)
        before = os.umask(0o177)
        try:
            listener.bind(path)
        finally:
            os.umask(before)
        open_to()
        listener.listen(MOST_CLIENTS)
    except BaseException:
        listener.close()
        raise
    return listener


def _make_room(path: str) -> None:
    try:
        is_socket = stat.S_ISSOCK(os.lstat(path).st_mode)
    except FileNotFoundError:
        return
    if not is_socket:
        raise UsageError(f"{path} is there already and is no socket; move it away, or give another --socket")
    os.unlink(path)
