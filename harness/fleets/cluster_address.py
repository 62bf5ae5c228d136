"""Where a Ray cluster is, and whether anybody answers there; without Ray itself, so that it is said at once."""

from __future__ import annotations

import os
import re
import socket
from importlib.util import find_spec

from harness.errors import UsageError

ADDRESS = "RAY_ADDRESS"
"""The environment's word for the cluster, Ray's own."""
LOCAL, AUTO = "local", "auto"
"""Ray's own words: a cluster of this machine alone, and whichever this machine is a node of."""
HOST_PORT = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|(\w[\w.-]*)):([0-9]{1,5})", re.ASCII)
PATIENCE_S = 5.0
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
"""What a client of HTTP/2, and so of gRPC, says first: RFC 9113, section 3.4. The server's first frame is SETTINGS."""
FRAME_TYPE, SETTINGS = 3, 4


def address_of_cluster(given: str | None) -> str:
    """What was ``given``, or the environment's RAY_ADDRESS, or ``local``."""
    return given or os.environ.get(ADDRESS) or LOCAL


def check_address(address: str) -> None:
    """See that Ray is installed, and that somebody listens at the address.

    Raises:
        UsageError: it is not, nobody does, or the address is none.
    """
    if find_spec("ray") is None:
        raise UsageError(
            "a fleet over a cluster needs Ray, which is not installed here; install: pip install 'federa-bench[ray]'"
        )
    if address in (LOCAL, AUTO):
        return
    found = HOST_PORT.fullmatch(address)
    if found is None or not 0 < int(found[3]) <= 65535:
        raise UsageError(
            f"'{address}' is no address of a Ray cluster; write HOST:PORT, as `ray start --head` says it, 'auto' for "
            "the one this machine is a node of, or 'local' for one of this machine alone"
        )
    try:
        with socket.create_connection((found[1] or found[2], int(found[3])), PATIENCE_S) as connection:
            known = "RAY_USE_TLS" in os.environ or _speaks_grpc(connection)
    except OSError as error:
        raise UsageError(
            f"no Ray cluster answers at {address} ({error.strerror or error}); start one there with: ray start --head, "
            "or leave --ray out for one of this machine alone"
        ) from None
    if not known:
        raise UsageError(f"what answers at {address} is no Ray cluster; write the address that `ray start --head` says")


def _speaks_grpc(connection: socket.socket) -> bool:
    """Whether it is a server of the kind that Ray's head is: Ray itself would try for minutes to find out."""
    connection.sendall(PREFACE)
    with connection.makefile("rb") as answer:
        head = answer.read(FRAME_TYPE + 1)
    return len(head) > FRAME_TYPE and head[FRAME_TYPE] == SETTINGS
