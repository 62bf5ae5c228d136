"""Sockets: the only place that imports zmq. ROUTER at the controller, DEALER at the agent, two of each.

Facts behind the options (measured with libzmq 4.3.5): a heartbeat behind a blob on one socket waits for the whole blob,
so beats have sockets of their own; MAXMSGSIZE limits a frame and not a message, so frames are counted as well; a ROUTER
without ROUTER_MANDATORY drops silently; 200 silent connections starve good peers until HANDSHAKE_IVL; a CURVE server
whom nobody answers for takes any key, unless the ZAP domain is enforced; a key that is revoked stays connected.
"""

from harness.transport.channel import Channel, connect
from harness.transport.security import CurveClient, CurveServer, KeyPair, NoSecurity, Security, new_pair, pair_of
from harness.transport.server import LOOPBACK, Server, listen
from harness.transport.wire import Arrival, wait, wire_bytes_of

__all__ = [
    "LOOPBACK",
    "Arrival",
    "Channel",
    "CurveClient",
    "CurveServer",
    "KeyPair",
    "NoSecurity",
    "Security",
    "Server",
    "connect",
    "listen",
    "new_pair",
    "pair_of",
    "wait",
    "wire_bytes_of",
]
