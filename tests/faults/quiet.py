"""What a run comes to that nothing happens to, and whether a disturbed one comes to the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from books import check_books
from ground import Ground, Setting, free_port
from growth import Held, grown
from keyring import appending, make_keys

GROWN_DESCRIPTORS, GROWN_BYTES = 6, 8_000_000
"""Connections that a router forgot are held for up to a minute: four, of two agents."""


@dataclass(frozen=True)
class Quiet:
    """The hashes of its states, and what each of its processes held at its end."""

    states: list[str]
    held: Mapping[str, Held]


def quiet_run(setting: Setting, folder: Path, secured: bool = False) -> Quiet:
    """Run it, with keys or without."""
    prefix = appending("--keys", make_keys(folder / "keys")) if secured else ()
    with Ground(folder / "run", setting, free_port(), controller_prefix=prefix, agent_prefix=prefix) as ground:
        ground.finish()
        return Quiet([record.state_sha256 for record in check_books(ground.run)], ground.watch.last())


def check_end(ground: Ground, quiet: Quiet) -> Held:
    """Wait for a run's end: its states are the quiet one's, its books are right, and its processes have not grown.

    Returns:
        By how much its processes hold more than those of the quiet run.
    """
    ground.finish()
    assert [record.state_sha256 for record in check_books(ground.run)] == quiet.states
    return check_growth(ground, quiet)


def check_growth(ground: Ground, quiet: Quiet) -> Held:
    """Of a run that has ended, whoever took part in it: its processes hold what those of the quiet run did."""
    last = ground.watch.last()
    growth = grown(last, quiet.held)
    assert growth.descriptors <= GROWN_DESCRIPTORS, (last, quiet.held)
    # On a busy machine a state may be on its way to an agent in most of the last looks.
    assert growth.own_bytes <= GROWN_BYTES + ground.setting.state_bytes, (last, quiet.held)
    return growth
