"""What libzmq tells of a socket's connections.

``zmq.utils.monitor`` decodes the same, and imports asyncio for it: a sixth of an agent's start.
"""

from __future__ import annotations

import struct

import zmq

WORDS = struct.Struct("=Hi")
"""An event's number and its value; the address follows in a frame of its own. Source: zmq_socket_monitor(3)."""


def next_event(monitor: zmq.Socket[bytes]) -> int:
    """The next event of a monitor socket, one of ``zmq.EVENT_...``; there is one to receive."""
    told, _ = monitor.recv_multipart()
    event: int = WORDS.unpack(told)[0]
    return event
