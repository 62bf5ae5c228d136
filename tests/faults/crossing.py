"""A run whose agents reach the controller over a wire that can be bad."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from ground import Ground, Setting, free_port
from keyring import appending
from wire import HERE, KIND, Mischief, Wire

from harness.rounds.events import AgentLost, AgentReconnected
from harness.store import RunFolder


@contextmanager
def over_a_wire(
    folder: Path, setting: Setting, mischief: Mischief = KIND, seed: int = 0, keys: Path | None = None
) -> Iterator[tuple[Ground, Wire]]:
    """A run and its wire; both ports are carried. With ``keys`` it is encrypted."""
    port = free_port()
    prefix = appending("--keys", keys) if keys else []
    with Wire(mischief, seed) as wire:
        wire.carry(port)
        with Ground(folder, setting, port, f"tcp://{HERE}:{port}", prefix, prefix) as ground:
            wire.carry(beat_port(ground))
            yield ground, wire


def notices(ground: Ground) -> int:
    """How often the record says that an agent's connection broke, or that it was out of reach.

    An agent whose connection broke in the middle of a task also came back, or was lost: one of both is an event.
    """
    breaks = sum(record.breaks for record in RunFolder(ground.run).read_clients())
    lost, back = ground.count(AgentLost), ground.count(AgentReconnected)
    assert lost + back > 0 or not breaks, "connections broke, and no event tells of an agent that came back"
    return breaks + lost


def beat_port(ground: Ground) -> int:
    """The port that the controller takes heartbeats at."""
    listening = psutil.Process(pid_of(ground)).net_connections("tcp")
    (port,) = {it.laddr.port for it in listening if it.status == psutil.CONN_LISTEN} - {ground.port}
    return port


def pid_of(ground: Ground) -> int:
    """The controller's process id."""
    assert ground.controller is not None
    return ground.controller.pid
