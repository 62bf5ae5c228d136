"""Looks at this machine: every probe on its own, all at the same time, each with a time-out."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from harness.doctor.facts import Role
from harness.doctor.findings import Finding, warn
from harness.doctor.probes import PROBES, Probe
from harness.doctor.reading.place import Place

PATIENCE_S = 2.5
IMPORT_PATIENCE_S = 65.0


def examine(
    role: Role,
    *,
    root: Path = Path("/"),
    keys: Path | None = None,
    name: str | None = None,
    connect: str | None = None,
    folder: Path | None = None,
    handshake: bool = False,
    import_torch: bool = False,
    patience_s: float = PATIENCE_S,
) -> list[Finding]:
    """What this machine is like for an agent or a controller. Raises nothing, and takes at most ``patience_s``.

    What is asked of the network goes to ``connect`` alone. A probe that hangs is left behind in a thread of its own,
    which does not keep the process from ending.

    Args:
        root: where /sys, /proc, /etc, /run are; a made tree stands in for a board, and no command is asked then.
        keys: the folder of keys; None: where the role itself would look.
        name: what the agent is called, where the folder has several keys.
        connect: the controller's address, tcp://HOST:PORT, for its latency.
        folder: where the cache (agent) or the runs (controller) lie; None: the default of the role.
        handshake: ask the controller whether it allows this agent's key.
        import_torch: import torch in a child process, too, which takes up to a minute.
    """
    place = Place(
        role=role,
        root=root.resolve(),
        keys=keys,
        name=name,
        connect=connect,
        folder=folder,
        handshake=handshake,
        import_torch=import_torch,
    )
    return carry_out(place, PROBES, max(patience_s, IMPORT_PATIENCE_S) if import_torch else patience_s)


def carry_out(place: Place, probes: Sequence[Probe], patience_s: float) -> list[Finding]:
    """The findings of all probes, in their order; one that does not answer in time is a finding itself."""
    answers: queue.SimpleQueue[tuple[str, list[Finding]]] = queue.SimpleQueue()
    for probe in probes:
        work = partial(_answer, probe, place, answers.put)
        threading.Thread(target=work, name=f"doctor: {probe.name}", daemon=True).start()
    found = dict(_collected(answers, len(probes), time.monotonic() + patience_s))
    return [one for probe in probes for one in found.get(probe.name, [_silent(probe.name, patience_s)])]


def _answer(probe: Probe, place: Place, say: Callable[[tuple[str, list[Finding]]], None]) -> None:
    try:
        say((probe.name, probe.look(place)))
    except Exception as error:  # whatever is odd about a machine, the other lines are still to be told
        says = f"could not be told: {type(error).__name__}: {error}"
        say((probe.name, [warn(probe.name, says, "it is for you to look at; and a report of this helps")]))


def _collected(
    answers: queue.SimpleQueue[tuple[str, list[Finding]]], count: int, until_s: float
) -> Iterable[tuple[str, list[Finding]]]:
    for _ in range(count):
        try:
            yield answers.get(timeout=max(0.0, until_s - time.monotonic()))
        except queue.Empty:
            return


def _silent(name: str, patience_s: float) -> Finding:
    return warn(name, f"no answer within {patience_s:g} s", "look at it by hand: a sensor, a drive or a name hangs")
