"""What an agent tells systemd: that it is ready, what it does, that it makes progress, that it stops (sd_notify(3)).

The protocol is a datagram of ``KEY=value`` lines to the socket that ``$NOTIFY_SOCKET`` names. Nothing here runs by
itself: the watchdog is fed when the agent's loop says that it made progress, so a wedged loop is seen and restarted.
Outside systemd every call does nothing.
"""

from __future__ import annotations

import errno
import logging
import os
import socket
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass

from harness.protocol.text import plain

log = logging.getLogger("agents")

VARIABLES = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
FED_PER_TIMEOUT = 4  # sd_watchdog_enabled(3) asks for twice; a loop that is late once or twice is not yet wedged
MOST_DIGITS = 20  # of an unsigned number of 64 bits
SHORTEST_WAIT_S = 0.01  # a poll that rounds its time-out down must not make the loop spin
LONGEST_STATUS = 200  # characters; `systemctl status` shows one line


def socket_address(notify_socket: str) -> str | None:
    """The address to send to: a path, or an abstract name ("@..." -> "\\0..."); None where it is neither.

    Newer systemd also knows "vsock:..." for virtual machines as a whole, which no agent is.
    """
    if notify_socket.startswith("@") and len(notify_socket) > 1:
        return "\0" + notify_socket[1:]
    return notify_socket if notify_socket.startswith("/") else None


def watchdog_s(env: Mapping[str, str], pid: int) -> float | None:
    """How long systemd waits for a sign of life, in seconds; None where it does not watch the process ``pid``."""
    usec = env.get("WATCHDOG_USEC", "")
    if not (usec.isascii() and usec.isdecimal() and len(usec) <= MOST_DIGITS) or int(usec) == 0:
        return None
    if env.get("WATCHDOG_PID", str(pid)) != str(pid):  # set for our parent, and inherited
        return None
    return int(usec) / 1e6


def datagram(fields: Mapping[str, str]) -> bytes:
    """The fields as systemd reads them: one ``KEY=value`` per line, so a value is made one line of bounded length,
    of printable characters: some are a controller's words, and root's terminal shows them.
    """
    lines = (f"{key}={plain(value)[:LONGEST_STATUS]}\n" for key, value in fields.items())
    return "".join(lines).encode(errors="replace")


@dataclass
class Feeding:
    """When the watchdog is fed: at most once in ``period_s``, by :meth:`fed`. Pure; the caller brings the time."""

    period_s: float
    fed_at_s: float | None = None

    def due(self, now_s: float) -> bool:
        """Whether progress that is seen now should be told."""
        return self.fed_at_s is None or now_s - self.fed_at_s >= self.period_s

    def fed(self, now_s: float) -> None:
        """It was told."""
        self.fed_at_s = now_s

    def wait_s(self, now_s: float) -> float:
        """How long a loop may sleep, in seconds, before it should look again whether there is progress to tell.

        Never zero: where there is no progress to tell, looking again and again would burn a core beside the training.
        """
        if self.fed_at_s is None:
            return self.period_s
        return max(SHORTEST_WAIT_S, self.period_s - (now_s - self.fed_at_s) % self.period_s)


class Notifier:
    """The agent's side of sd_notify. What cannot be sent now (systemd re-executes, its queue is full) goes later.

    Args:
        address: as :func:`socket_address` gives it; None does nothing.
        timeout_s: the watchdog's time-out; None where nobody watches.
    """

    def __init__(self, address: str | None, timeout_s: float | None) -> None:
        self._address = address
        self._feeding = Feeding(timeout_s / FED_PER_TIMEOUT) if address and timeout_s else None
        self._socket = _open_socket() if address else None
        self._owed: dict[str, str] = {}
        self._status = ""
        self._complained = False

    @classmethod
    def from_environment(cls, env: MutableMapping[str, str] | None = None, pid: int | None = None) -> Notifier:
        """As systemd's variables say, which are taken out of ``env``: what this process starts is not to speak for it.

        Args:
            env: the environment; None is this process's.
            pid: whose watchdog it should be; None is this process.
        """
        env = os.environ if env is None else env
        given = {name: env.pop(name) for name in VARIABLES if name in env}
        pid = os.getpid() if pid is None else pid
        return cls(socket_address(given.get("NOTIFY_SOCKET", "")), watchdog_s(given, pid))

    def ready(self, status: str = "") -> None:
        """The agent is up: its loop is about to turn. From here on systemd's watchdog counts."""
        self._tell({"READY": "1", **self._news(status)})

    def progress(self, now_s: float, status: str = "") -> None:
        """The loop turned and nothing is overdue. Feeds the watchdog where it is time; says what is new at once.

        Args:
            now_s: the agent's monotonic clock.
            status: what it does, for ``systemctl status``; "" keeps what was said.
        """
        feed = self._feeding is not None and self._feeding.due(now_s)
        sent = self._tell({**({"WATCHDOG": "1"} if feed else {}), **self._news(status)})
        if sent and feed and self._feeding is not None:
            self._feeding.fed(now_s)

    def stopping(self, status: str = "") -> None:
        """The agent ends, on purpose."""
        self._tell({"STOPPING": "1", **self._news(status)})

    def wait_s(self, now_s: float) -> float | None:
        """How long the loop may sleep before :meth:`progress` should be called again; None: as long as it likes."""
        return self._feeding.wait_s(now_s) if self._feeding else None

    def close(self) -> None:
        """Close the socket; nothing is told after that."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _news(self, status: str) -> dict[str, str]:
        if not status or status == self._status:
            return {}
        self._status = status
        return {"STATUS": status}

    def _tell(self, fields: Mapping[str, str]) -> bool:
        """Send the fields and what is owed, without ever waiting; returns whether they went."""
        if self._socket is None or self._address is None:
            return False
        self._owed.update(fields)
        if not self._owed:
            return False
        try:
            self._socket.sendto(datagram(self._owed), self._address)
        except OSError as error:
            self._complain(error)
            return False
        self._owed.clear()
        self._complained = False
        return True

    def _complain(self, error: OSError) -> None:
        """Say once that systemd does not hear us; a full queue (EAGAIN) passes by itself."""
        if error.errno != errno.EAGAIN and not self._complained:
            self._complained = True
            log.warning("cannot tell systemd how it goes (%s); trying again", error.strerror or error)


def _open_socket() -> socket.socket:
    """A datagram socket that never makes the loop wait."""
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    notify.setblocking(False)
    return notify
