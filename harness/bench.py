"""Puts a run together: folder, workload, fleet, machine, controller; a new one, or one that was interrupted."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Protocol

import msgspec

from harness import environment, store
from harness.between_rounds import BetweenRounds
from harness.controller import Controller, Observer, started
from harness.crews import Crew, crew_of
from harness.endings import recording_failure, stopped_by_signals
from harness.errors import StoreError, UsageError
from harness.fleets.cluster_address import LOCAL, address_of_cluster
from harness.fleets.telemetry_table import tabulate
from harness.fleets.virtual import NOTHING_LEFT
from harness.fleets.virtual_left import Counted, counted, left_by
from harness.learning.workload import Sources, Workload, prepare
from harness.profiles import Experiment, Method, build, fingerprint
from harness.records import ClientRecord, Header
from harness.rounds import commands as c
from harness.rounds.events import UpdateLost
from harness.rounds.machine import RoundMachine
from harness.rounds.plan import RunPlan, disturbing, overlaps
from harness.rounds.replay import replay, written
from harness.salvage import Salvage
from harness.shaping import SOCKET
from harness.store import RunFolder


class Screen(Observer, Protocol):
    """An observer that is also told what is being prepared."""

    def say(self, line: str) -> None:
        """One step of the preparation."""


@dataclass(frozen=True)
class RunOptions:
    """What the command line decides besides the profile. ``bind`` None: a free port of loopback, local agents.

    ``keys`` is the folder of --keys; None: keys where other machines can connect, from the default folder. ``shaper``
    is the socket of the helper for links that the kernel keeps, ``cluster`` the address of --ray.
    """

    out: Path = Path("runs")
    bind: str | None = None
    local_agents: bool = True
    keys: Path | None = None
    shaper: str = SOCKET
    cluster: str | None = None

    @property
    def of_agents(self) -> dict[str, object]:
        """What was said about agents, or a cluster in their place, for a resume to go by."""
        keys = str(self.keys.absolute()) if self.keys else None
        return {"bind": self.bind, "external": not self.local_agents, "keys": keys, "ray": self.cluster}


def new_run(experiment: Experiment, method: Method, sources: Sources, options: RunOptions) -> RunFolder:
    """Make the folder of a run, with its first header.

    Raises:
        ProfileError: the experiment cannot be run with this method.
        StoreError: the folder cannot be made.
    """
    experiment.check(method)
    seed = experiment.seeds.training
    started_at = datetime.now(timezone.utc)
    run_id = store.new_run_id(options.out, experiment.name, method, seed, started_at)
    folder = RunFolder.create(options.out, run_id)
    threads, count = experiment.device.threads, RunPlan.of(experiment, method).agents
    here = environment.describe()
    here_alone = options.local_agents and not experiment.virtual
    crowded = environment.oversubscription(count, threads, here["cores"]) if here_alone else None
    beside = disturbing(experiment, agents_here=options.local_agents)
    folder.write_header(
        Header(
            run_id=run_id,
            method=method,
            seed=seed,
            profile=msgspec.to_builtins(experiment),
            profile_sha256=fingerprint(experiment),
            environment={**here, "agents": {**options.of_agents, "ray": _cluster(experiment, options)}},
            warnings=tuple(filter(None, (crowded, beside))),
            data=str(sources.data.resolve()) if sources.data else None,
            models=str(sources.models.resolve()) if sources.models else None,
            started_at=started_at.isoformat(timespec="seconds"),
        )
    )
    return folder


def _cluster(experiment: Experiment, options: RunOptions) -> str | None:
    """Where a run's cluster is, for a resume to go by: RAY_ADDRESS may be another then."""
    if experiment.fleet != "ray" or address_of_cluster(options.cluster) == LOCAL:
        return options.cluster
    return address_of_cluster(options.cluster)


def carry_on(folder: RunFolder, options: RunOptions, screen: Screen) -> None:
    """Run a run folder to its end: from its first event if it has none, else from the last one recorded.

    Raises:
        RunInterruptedError: stopped by SIGINT or SIGTERM; says how to resume.
        FederaBenchError: the run failed or could not be resumed.
    """
    with folder.locked(), stopped_by_signals(), recording_failure(folder):
        header = folder.read_header()
        experiment = build(header.profile, str(folder.path / "header.json"))
        sources = Sources(_path(header.data), _path(header.models), cache=options.out / ".cache")
        method, local = _method(header), options.local_agents
        wishes = (options.keys, options.shaper, options.cluster)
        crew = crew_of(experiment, method, options.out, options.bind, local, *wishes)
        with closing(crew):
            workload = prepare(experiment, method, sources, folder.work, screen.say)
            _note_workload(folder, header, workload)
            overlap = overlaps(experiment, agents_here=options.local_agents)
            _conduct(folder, experiment, workload, crew, screen, overlap)


def _note_workload(folder: RunFolder, header: Header, workload: Workload) -> None:
    if workload.partition is not None:
        folder.write_partition(workload.partition)
    warnings = tuple(dict.fromkeys((*header.warnings, *workload.warnings)))
    folder.write_header(
        msgspec.structs.replace(
            header,
            parameters=workload.parameters,
            shipped_bytes=workload.init.stat().st_size if workload.init else 0,
            warnings=warnings,
            state="running",
            reason=None,
        )
    )


def _conduct(
    folder: RunFolder, experiment: Experiment, workload: Workload, crew: Crew, screen: Screen, overlap: bool
) -> None:
    state_sha256 = folder.keep_initial_state(workload.initial_state)
    plan = RunPlan.of(experiment, workload.prepare.method)
    machine, records, start_s, updates = _replayed(folder, plan, state_sha256)
    learning = BetweenRounds(folder, experiment, plan, workload)
    salvage = Salvage(
        folder, machine, records, workload.initial_state, learning.again, screen.say, learning.evaluates_clients
    )
    lost = salvage.lost(start_s)
    if machine.opened:
        _settle(folder, machine, lost)
        _gather_samples(folder, screen)
        overlap = machine.overlap
    if overlap and experiment.virtual:
        learning.get_ready(screen.say)
    left = NOTHING_LEFT
    if experiment.virtual and (round := _next_trained(machine, lost)) <= plan.rounds:
        left = left_by(updates, round, learning.outgoing, workload.prepare.settings.rank_of)
    with crew.man(folder, workload, start_s, screen.say, left) as manned:
        parts = (manned.fleet, learning, screen, manned.clock, manned.beside)
        controller = Controller(folder, experiment, machine, *parts)
        controller.run(manned.svd_s, state_sha256, lost, overlap=overlap)


def _settle(folder: RunFolder, machine: RoundMachine, lost: Sequence[UpdateLost]) -> None:
    """What a controller leaves that ends while it closes a round: first the states that it may not have secured."""
    for round in range(max(0, machine.round - 2), machine.round + 1):
        if folder.checkpoint(round).exists():
            folder.secure(round)
    folder.sync_events()
    folder.prune(min([len(machine.records), *(event.round - 1 for event in lost)]))


def _gather_samples(folder: RunFolder, screen: Screen) -> None:
    """Make the table of the samples so far; it is made again at the end, so nothing is lost where it cannot be now."""
    try:
        tabulate(folder.path)
    except StoreError as error:
        screen.say(str(error))


def _next_trained(machine: RoundMachine, lost: Sequence[UpdateLost]) -> int:
    """The round in which a run goes on: one that has no state yet, but all that its clients are given is there."""
    stated = machine.phase in ("evaluating", "finished")
    return min((event.round for event in lost), default=machine.round + stated)


def _replayed(
    folder: RunFolder, plan: RunPlan, state_sha256: str
) -> tuple[RoundMachine, list[ClientRecord], float, Counted]:
    """The machine after all recorded events, the updates it accepted, the run's clock at the last event, and the last
    update of each agent.

    Files that follow from the events are made anew.
    """
    events = folder.read_events()
    machine, orders = replay(plan, events)
    if not events:
        return machine, [], 0.0, {}
    if machine.initial_state_sha256 != state_sha256:
        raise StoreError(
            f"{folder.path}: the initial state is not the one this run began with, so its data, model or software "
            "has changed; start a new run"
        )
    clients, rounds = written(orders)
    folder.rewrite_derived(clients, rounds)
    for order in orders:
        if isinstance(order, c.StartRun):  # the header may be older than the last event
            folder.write_header(started(folder.read_header(), order))
    return machine, clients, events[-1].at_s, counted(events, orders)


def _method(header: Header) -> Method:
    method: Method = msgspec.convert(header.method, Method)
    return method


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None


def resumable(path: Path) -> RunFolder:
    """A run folder that can go on.

    Raises:
        UsageError: it is no run folder, or the run is done.
    """
    folder = RunFolder.open(path)
    if folder.read_header().state == "done":
        raise UsageError(f"{path} is done; see it with: federa-bench report {path}")
    return folder
