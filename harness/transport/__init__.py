"""Sockets: the only place that imports zmq. ROUTER at the controller, DEALER at the agent, two of each.

Facts behind the options (measured with libzmq 4.3.5): a heartbeat behind a blob on one socket waits for the whole blob,
so beats have sockets of their own; MAXMSGSIZE limits a frame and not a message, so frames are counted as well; a ROUTER
without ROUTER_MANDATORY drops silently; 200 silent connections starve good peers until HANDSHAKE_IVL.
"""

from harness.transport.channel import Channel, connect
from harness.transport.security import NoSecurity, Security
from harness.transport.server import LOOPBACK, Server, listen
from harness.transport.wire import Arrival, wait, wire_bytes_of

__all__ = [
    "LOOPBACK",
    "Arrival",
    "Channel",
    "NoSecurity",
    "Security",
    "Server",
    "connect",
    "listen",
    "wait",
    "wire_bytes_of",
]
