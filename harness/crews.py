"""Who does the work of a run: agents, or virtual devices. Made before the long preparation, so that a port in use, or
a device without seconds for this run, is said at once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from harness.clock import Clock, RunClock, VirtualClock
from harness.environment import share
from harness.fleets import Fleet
from harness.fleets.beside import Beside, RunBeside
from harness.fleets.downlinks import Downlinks, KernelDownlinks, check_devices
from harness.fleets.local import LocalAgents, local_names
from harness.fleets.own_machine import Checkup, OwnSensors, checkup
from harness.fleets.processes import Processes
from harness.fleets.provision import provisioning
from harness.fleets.training_frames import Prepare
from harness.fleets.virtual import NOTHING_LEFT, VirtualFleet
from harness.fleets.virtual_left import Left
from harness.fleets.virtual_seconds import VirtualSeconds
from harness.fleets.workforce import Here, Workforce, hands_of
from harness.fleets.zeromq import ZeromqFleet
from harness.keys import LocalKeys, controller_security, needs_keys
from harness.learning.workload import Workload
from harness.profiles import Experiment, Method
from harness.profiles.simulating import groups_at_most, processes_of
from harness.rounds.plan import RunPlan
from harness.sensors import Sampler
from harness.shaping import SOCKET, Shaper, needs_kernel
from harness.store import RunFolder
from harness.transport import LOOPBACK, Server, listen

Say = Callable[[str], None]
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Manned:
    """A fleet at work, the clock it goes by, and what the method's SVD counts as; ``beside`` keeps what it tells beside
    the rounds."""

    fleet: Fleet
    clock: Clock
    svd_s: float
    beside: Beside


class Crew(Protocol):
    """Mans one run."""

    @contextmanager
    def man(
        self, folder: RunFolder, workload: Workload, start_s: float, say: Say, left: Left = NOTHING_LEFT
    ) -> Iterator[Manned]:
        """The fleet of a run whose clock goes on at ``start_s``; let go of at the end.

        ``left`` is what virtual devices have from before; agents say themselves what they hold.
        """

    def close(self) -> None:
        """Let go of what was taken hold of before the run."""


def crew_of(
    experiment: Experiment,
    method: Method,
    out: Path,
    bind: str | None,
    local_agents: bool,
    keys: Path | None = None,
    shaper: str = SOCKET,
    cluster: str | None = None,
) -> Crew:
    """The crew that an experiment's fleet asks for. ``keys`` is the folder of --keys, ``cluster`` what --ray says.

    ``shaper`` is the socket of the helper for links that the kernel keeps.

    Raises:
        TransportError: the port is in use.
        UsageError: the address lets other machines in, and there are no keys; or the kernel is to shape links towards
            agents that have no devices of their own.
        ShapingError: the kernel is to shape links, and the helper for that is not there.
        ProfileError: a table of the device or the link has no entry for this run.
    """
    count = RunPlan.of(experiment, method).agents
    if experiment.virtual:
        return VirtualCrew(experiment, VirtualSeconds(experiment, method), count, cluster)
    local = LocalKeys.made(local_names(count) if local_agents and needs_keys(bind, keys) else ())
    security = controller_security(bind, keys, local.allowed)
    check_devices(experiment.link, local_agents, bind)
    with ExitStack() as undo:
        helper = Shaper.connect(shaper) if needs_kernel(experiment.link) else None
        if helper is not None:
            undo.callback(helper.close)
        server = listen(bind or LOOPBACK, security)
        undo.pop_all()
    public = security.own.public if security else ""
    cache, visit = out / ".cache", checkup(keys, out)
    return AgentCrew(experiment, count, cache, server, local_agents, local, public, visit, helper)


@dataclass(frozen=True)
class AgentCrew:
    """``count`` agents over sockets; ``local`` ones are started here, with their caches below ``cache``.

    ``keys`` are theirs, and ``controller`` is the public key of this controller; none on plain sockets. ``visit`` is
    the doctor's, ``shaper`` the helper for links that the kernel keeps; null where agents keep theirs.
    """

    experiment: Experiment
    count: int
    cache: Path
    server: Server
    local: bool
    keys: LocalKeys
    controller: str
    visit: Checkup
    shaper: Shaper | None = None

    @contextmanager
    def man(
        self, folder: RunFolder, workload: Workload, start_s: float, say: Say, left: Left = NOTHING_LEFT
    ) -> Iterator[Manned]:
        """Start the local agents, wait for the others."""
        experiment, server = self.experiment, self.server
        clock, hz = RunClock(start_s), experiment.record.telemetry_hz
        provided = provisioning(workload, experiment.link, experiment.seeds.link, hz)
        beside = RunBeside(folder, clock.now_s, hz, self.visit, _own_sensors(clock, hz))
        downlinks, settings = self._downlinks(beside), experiment.agents
        say(f"waiting for {self.count} {'agent' if self.count == 1 else 'agents'} at {server.endpoint}")
        with closing(beside), self.keys.written(folder.work / "keys", self.controller) as keys:
            local = self._local(folder.work / "logs", keys) if self.local else None
            with ZeromqFleet(
                folder.path.name, server, provided, settings, local, clock.now_s, downlinks, beside
            ) as fleet:
                yield Manned(fleet, clock, workload.svd_s, beside)

    def close(self) -> None:
        """Close the socket; the kernel lets go of the links."""
        self.server.close()
        if self.shaper is not None:
            self.shaper.close()

    def _downlinks(self, beside: Beside) -> Downlinks:
        if self.shaper is None:
            return Downlinks()
        link, seed, server = self.experiment.link, self.experiment.seeds.link, self.server
        return KernelDownlinks(self.shaper, link, seed, server.port, server.beat_port, beside.shaped)

    def _local(self, logs: Path, keys: Mapping[str, Sequence[str]]) -> LocalAgents:
        return LocalAgents(self.server.endpoint, self.count, self.cache.resolve(), logs, keys=keys)


@dataclass(frozen=True)
class VirtualCrew:
    """A device for each of the ``count`` clients of a round; ``cluster`` is what --ray says, None: nothing."""

    experiment: Experiment
    seconds: VirtualSeconds
    count: int
    cluster: str | None = None

    @contextmanager
    def man(
        self, folder: RunFolder, workload: Workload, start_s: float, say: Say, left: Left = NOTHING_LEFT
    ) -> Iterator[Manned]:
        """Let those begin who train for all devices."""
        experiment = self.experiment
        clock = VirtualClock(start_s, experiment.device.server.aggregate_s)
        init_bytes = workload.init.stat().st_size if workload.init else 0
        fused = experiment.simulation.fused_clients
        with closing(workforce_of(experiment, workload, folder.work / "logs", self.cluster, say)) as workforce:
            fleet = VirtualFleet(
                self.count, workforce, workload.shards, self.seconds, clock, init_bytes, left, fused=fused
            )
            yield Manned(fleet, clock, self.seconds.svd_s(workload.svd_s), Beside())

    def close(self) -> None:
        """Nothing was taken hold of."""


def workforce_of(experiment: Experiment, workload: Workload, logs: Path, cluster: str | None, say: Say) -> Workforce:
    """Who trains for the virtual devices of a run. ``logs`` is a folder, ``cluster`` what --ray says.

    Raises:
        UsageError: the base model cannot be used, or the cluster.
        TrainerError: something that the method needs was not given.
    """
    count, simulation = experiment.agents_awaited, experiment.simulation
    devices = f"{count} virtual {'device' if count == 1 else 'devices'} ({experiment.device.name})"
    if experiment.fleet == "ray":
        from harness.fleets.cluster import ray_workforce

        say(f"training on a cluster for {devices}")
        return ray_workforce(workload, experiment, groups_at_most(experiment), cluster)
    processes = processes_of(experiment, share(), gpu=experiment.train.trainer != "null" and _on_gpu())
    say(f"training here{f' in {processes} processes' if processes > 1 else ''} for {devices}")
    spec, base, init = workload.prepare, workload.base_folder, workload.init
    if processes == 1:
        return Here(hands_of(spec, base, init, simulation.fused_clients))
    paths = {name: str(path) if path else None for name, path in (("base", base), ("init", init))}
    return Processes(processes, Prepare(spec=spec, fused=simulation.fused_clients, **paths), logs)


def _on_gpu() -> bool:
    from harness.learning.compute import on_gpu  # with it comes torch, which who learns has by now

    return on_gpu()


def _own_sensors(clock: RunClock, hz: float) -> OwnSensors | None:
    """This machine's own sensors, sampled from now on; None where nothing is to be sampled, or nothing can be."""
    try:
        sampler = Sampler.start(Path("/"), hz)
    except OSError as error:
        log.warning("the sensors of this machine cannot be read: %s", error)
        return None
    return None if sampler is None else OwnSensors(sampler, clock.zero_s, clock.now_s())
