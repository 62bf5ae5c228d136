"""Puts a run together: folder, workload, fleet, machine, controller; a new one, or one that was interrupted."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Protocol

import msgspec

from harness import environment, store
from harness.controller import Controller, Observer, started
from harness.crews import Crew, crew_of
from harness.endings import recording_failure, stopped_by_signals
from harness.errors import FederaBenchError, StoreError, UsageError
from harness.learning.aggregation.mean import weighted_mean
from harness.learning.drift import drift
from harness.learning.workload import Sources, Workload, prepare
from harness.profiles import Experiment, Method, build, fingerprint
from harness.records import ClientRecord, Drift, Header
from harness.rounds import commands as c
from harness.rounds.machine import RoundMachine
from harness.rounds.plan import RunPlan
from harness.rounds.replay import replay, written
from harness.salvage import Salvage
from harness.store import RunFolder


class Screen(Observer, Protocol):
    """An observer that is also told what is being prepared."""

    def say(self, line: str) -> None:
        """One step of the preparation."""


@dataclass(frozen=True)
class RunOptions:
    """What the command line decides besides the profile. ``bind`` None: a free port of loopback, local agents.

    ``keys`` is the folder of --keys; None: keys where other machines can connect, from the default folder.
    """

    out: Path = Path("runs")
    bind: str | None = None
    local_agents: bool = True
    keys: Path | None = None

    @property
    def of_agents(self) -> dict[str, object]:
        """What was said about agents, for a resume to go by."""
        keys = str(self.keys.absolute()) if self.keys else None
        return {"bind": self.bind, "external": not self.local_agents, "keys": keys}


def new_run(experiment: Experiment, method: Method, sources: Sources, options: RunOptions) -> RunFolder:
    """Make the folder of a run, with its first header."""
    seed = experiment.seeds.training
    started_at = datetime.now(timezone.utc)
    run_id = store.new_run_id(options.out, experiment.name, method, seed, started_at)
    folder = RunFolder.create(options.out, run_id)
    threads, count = experiment.device.threads, experiment.agents.count
    here = environment.describe()
    here_alone = options.local_agents and experiment.fleet != "virtual"
    crowded = environment.oversubscription(count, threads, here["cores"]) if here_alone else None
    folder.write_header(
        Header(
            run_id=run_id,
            method=method,
            seed=seed,
            profile=msgspec.to_builtins(experiment),
            profile_sha256=fingerprint(experiment),
            environment={**here, "agents": options.of_agents},
            warnings=(crowded,) if crowded else (),
            data=str(sources.data.resolve()) if sources.data else None,
            models=str(sources.models.resolve()) if sources.models else None,
            started_at=started_at.isoformat(timespec="seconds"),
        )
    )
    return folder


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
        crew = crew_of(experiment, method, options.out, options.bind, local, options.keys)
        with closing(crew):
            workload = prepare(experiment, method, sources, folder.work, screen.say)
            _note_workload(folder, header, workload)
            _conduct(folder, experiment, workload, crew, screen)


def _note_workload(folder: RunFolder, header: Header, workload: Workload) -> None:
    if workload.partition is not None:
        folder.write_partition(workload.partition)
    warnings = tuple(dict.fromkeys((*header.warnings, *workload.warnings)))
    folder.write_header(
        msgspec.structs.replace(header, parameters=workload.parameters, warnings=warnings, state="running", reason=None)
    )


def _conduct(folder: RunFolder, experiment: Experiment, workload: Workload, crew: Crew, screen: Screen) -> None:
    state_sha256 = folder.keep_initial_state(workload.initial_state)
    machine, records, start_s = _replayed(folder, experiment, state_sha256)
    lost = Salvage(folder, machine, records, workload.initial_state, weighted_mean, screen.say).lost(start_s)
    folder.prune(len(machine.records))  # what a controller leaves that ends while it closes a round
    with crew.man(folder, workload, start_s, screen.say) as manned:
        learning = _Learning(workload)
        controller = Controller(folder, experiment, machine, manned.fleet, learning, screen, manned.clock)
        controller.run(manned.svd_s, state_sha256, lost)


@dataclass(frozen=True)
class _Learning:
    """The learning side as the controller wants it."""

    workload: Workload

    def aggregate(self, updates: list[tuple[Path, int]], out: Path) -> str:
        return weighted_mean(updates, out)

    def drift(self, before: Path, after: Path) -> Drift | None:
        return drift(before, after)

    def evaluate(self, state: Path, progress: Callable[[float], None]) -> dict[str, float]:
        if self.workload.evaluator is None:
            raise FederaBenchError("a null run has nothing to evaluate")
        return self.workload.evaluator(state, progress)


def _replayed(
    folder: RunFolder, experiment: Experiment, state_sha256: str
) -> tuple[RoundMachine, list[ClientRecord], float]:
    """The machine after all recorded events, the updates it accepted, and the run's clock at the last event.

    Files that follow from the events are made anew.
    """
    events = folder.read_events()
    machine, orders = replay(RunPlan.of(experiment), events)
    if not events:
        return machine, [], 0.0
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
    return machine, clients, events[-1].at_s


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
