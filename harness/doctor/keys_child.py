"""A process that looks for the keys of a role as that role does, and may ask the controller: prints facts as JSON."""

from __future__ import annotations

import argparse
import socket
import sys
import time
from pathlib import Path

import msgspec

from harness.address import address_of
from harness.doctor.facts import Keys
from harness.errors import FederaBenchError
from harness.keys import (
    AgentKeys,
    AllowedList,
    agent_security,
    controller_security,
    default_folder,
    expanded,
    is_loopback,
    needs_keys,
)
from harness.transport import CurveClient, connect

ELSEWHERE = "tcp://CONTROLLER:5555"
"""Stands for an address beyond loopback, so that keys are looked for in any case."""
HANDSHAKE_S = 0.8
"""A refusal comes within a few round trips; silence for so long is none."""
LOOKS = 40


def main() -> int:
    """Print the facts; exit code 0."""
    parser = argparse.ArgumentParser()
    parser.add_argument("role", choices=["agent", "controller"])
    parser.add_argument("--keys", type=Path)
    parser.add_argument("--name")
    parser.add_argument("--connect")
    parser.add_argument("--handshake", action="store_true")
    options = parser.parse_args()
    look = _agents if options.role == "agent" else _controllers
    sys.stdout.buffer.write(msgspec.json.encode(look(options)))
    return 0


def _agents(options: argparse.Namespace) -> Keys:
    folder, beyond = _folder(options), options.connect is not None and not is_loopback(options.connect)
    needed = beyond or options.keys is not None
    try:
        security = agent_security(options.connect if beyond else ELSEWHERE, options.name, AgentKeys(options.keys))
    except FederaBenchError as error:
        return Keys(
            role="agent", folder=folder, needed=needed, problem=str(error).replace(ELSEWHERE, "another machine")
        )
    assert security is not None
    said = _handshake(options.connect, security) if options.handshake and options.connect else None
    return Keys(role="agent", folder=folder, needed=needed, name=security.name, handshake=said)


def _controllers(options: argparse.Namespace) -> Keys:
    folder, needed = _folder(options), needs_keys(options.connect, options.keys)
    try:
        controller_security(ELSEWHERE, options.keys, {})
        allowed = len(AllowedList(Path(folder)).names())
    except FederaBenchError as error:
        return Keys(role="controller", folder=folder, needed=needed, problem=str(error))
    return Keys(role="controller", folder=folder, needed=needed, name="controller", allowed=allowed)


def _folder(options: argparse.Namespace) -> str:
    return str(expanded(options.keys or default_folder()))


def _handshake(endpoint: str, security: CurveClient) -> str | None:
    """What the controller says to this key, without a message: "" if it does not turn it away; None: nobody listens."""
    address = address_of(endpoint)
    try:
        socket.create_connection((address.host, address.port), timeout=HANDSHAKE_S / 2).close()
    except OSError:
        return None
    channel = connect(endpoint, security)
    try:
        for _ in range(LOOKS):
            time.sleep(HANDSHAKE_S / LOOKS)
            if (refusal := channel.refused()) is not None:
                return refusal
        return ""
    finally:
        channel.close(0)


if __name__ == "__main__":
    sys.exit(main())
