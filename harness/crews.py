"""Who does the work of a run: agents, or virtual devices. Made before the long preparation, so that a port in use, or
a device without seconds for this run, is said at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from harness.clock import Clock, RunClock, VirtualClock
from harness.fleets import Fleet
from harness.fleets.local import LocalAgents, local_names
from harness.fleets.provision import provisioning
from harness.fleets.virtual import VirtualFleet
from harness.fleets.virtual_seconds import VirtualSeconds
from harness.fleets.zeromq import ZeromqFleet
from harness.keys import LocalKeys, controller_security, needs_keys
from harness.learning.trainer import make_trainer
from harness.learning.workload import Workload
from harness.profiles import Experiment, Method
from harness.store import RunFolder
from harness.transport import LOOPBACK, Server, listen

Say = Callable[[str], None]


@dataclass(frozen=True)
class Manned:
    """A fleet at work, the clock it goes by, and what the method's SVD counts as."""

    fleet: Fleet
    clock: Clock
    svd_s: float


class Crew(Protocol):
    """Mans one run."""

    @contextmanager
    def man(self, folder: RunFolder, workload: Workload, start_s: float, say: Say) -> Iterator[Manned]:
        """The fleet of a run whose clock goes on at ``start_s``; let go of at the end."""

    def close(self) -> None:
        """Let go of what was taken hold of before the run."""


def crew_of(
    experiment: Experiment, method: Method, out: Path, bind: str | None, local_agents: bool, keys: Path | None = None
) -> Crew:
    """The crew that an experiment's fleet asks for. ``keys`` is the folder of --keys.

    Raises:
        TransportError: the port is in use.
        UsageError: the address lets other machines in, and there are no keys.
        ProfileError: a table of the device or the link has no entry for this run.
    """
    if experiment.fleet == "virtual":
        return VirtualCrew(experiment, VirtualSeconds(experiment, method))
    local = LocalKeys.made(local_names(experiment.agents.count) if local_agents and needs_keys(bind, keys) else ())
    security = controller_security(bind, keys, local.allowed)
    server = listen(bind or LOOPBACK, security)
    controller = security.own.public if security else ""
    return AgentCrew(experiment, out / ".cache", server, local_agents, local, controller)


@dataclass(frozen=True)
class AgentCrew:
    """Agents over sockets; ``local`` ones are started here, with their caches below ``cache``.

    ``keys`` are theirs, and ``controller`` is the public key of this controller; none on plain sockets.
    """

    experiment: Experiment
    cache: Path
    server: Server
    local: bool
    keys: LocalKeys
    controller: str

    @contextmanager
    def man(self, folder: RunFolder, workload: Workload, start_s: float, say: Say) -> Iterator[Manned]:
        """Start the local agents, wait for the others."""
        experiment, server = self.experiment, self.server
        clock = RunClock(start_s)
        provided = provisioning(workload, experiment.link, experiment.seeds.link)
        count = experiment.agents.count
        say(f"waiting for {count} {'agent' if count == 1 else 'agents'} at {server.endpoint}")
        with self.keys.written(folder.work / "keys", self.controller) as keys:
            local = self._local(folder.work / "logs", keys) if self.local else None
            with ZeromqFleet(folder.path.name, server, provided, experiment.agents, local, clock.now_s) as fleet:
                yield Manned(fleet, clock, workload.svd_s)

    def close(self) -> None:
        """Close the socket."""
        self.server.close()

    def _local(self, logs: Path, keys: Mapping[str, Sequence[str]]) -> LocalAgents:
        count, cache = self.experiment.agents.count, self.cache.resolve()
        return LocalAgents(self.server.endpoint, count, cache, logs, keys=keys)


@dataclass(frozen=True)
class VirtualCrew:
    """A device for each client of a round, all of them in this process."""

    experiment: Experiment
    seconds: VirtualSeconds

    @contextmanager
    def man(self, folder: RunFolder, workload: Workload, start_s: float, say: Say) -> Iterator[Manned]:
        """Build the one model that trains for all of them."""
        experiment = self.experiment
        say(f"training here for {experiment.agents_awaited} virtual devices ({experiment.device.name})")
        clock = VirtualClock(start_s, experiment.device.server.aggregate_s)
        base = next((path.parent for path in workload.base.values()), None)
        trainer = make_trainer(workload.prepare, base, workload.init)
        init_bytes = workload.init.stat().st_size if workload.init else 0
        devices = experiment.agents_awaited
        fleet = VirtualFleet(devices, trainer, workload.shards, self.seconds, clock, init_bytes)
        yield Manned(fleet, clock, self.seconds.svd_s(workload.svd_s))

    def close(self) -> None:
        """Nothing was taken hold of."""
