"""The controller's address as it is written: tcp://HOST:PORT. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.errors import UsageError

ENDPOINT = re.compile(r"tcp://(?:\[([0-9A-Fa-f:.]+(?:%[\w.-]+)?)\]|(\w[\w.-]*)):([0-9]{1,5})", re.ASCII)
"""An IPv6 address in brackets, perhaps with its interface, or any other address or name; and a port. It can stand in a
unit of systemd as it is."""
MAX_PORT = 65535


@dataclass(frozen=True)
class Address:
    """A host by name or address, and a port."""

    host: str
    port: int

    @property
    def shown(self) -> str:
        """HOST:PORT, with brackets around an IPv6 address."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def address_of(endpoint: str) -> Address:
    """The address that an endpoint names.

    Raises:
        UsageError: it is none.
    """
    found = ENDPOINT.fullmatch(endpoint)
    if found is None or not 0 < int(found[3]) <= MAX_PORT:
        raise UsageError(f"{endpoint!r} is no address of a controller; write it like tcp://192.168.1.10:5555")
    return Address(found[1] or found[2], int(found[3]))
