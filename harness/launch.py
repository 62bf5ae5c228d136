"""From what the command line says to runs: check it, make the run folders, carry them on, have the report written."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, get_args

import msgspec
from rich.console import Console
from rich.markup import escape

from harness import library, listing
from harness.errors import FederaBenchError, UsageError
from harness.fleets.cluster_address import address_of_cluster, check_address
from harness.fleets.downlinks import check_devices
from harness.fleets.virtual_seconds import VirtualSeconds
from harness.keys import controller_security
from harness.passed_on import other_package
from harness.profiles import Experiment, FleetKind, Method, build, fingerprint
from harness.store import RunFolder

SEEDED = ("cohort", "initialisation", "training", "evaluation", "link")


def experiment_of(
    profile: str,
    sets: Sequence[str],
    rounds: int | None = None,
    agents: int | None = None,
    seed: int | None = None,
    fleet: str | None = None,
) -> Experiment:
    """The resolved experiment; options of their own are overrides like any other, and --set has the last word.

    Raises:
        UsageError: there is no such fleet.
        ProfileError: the profile or an override is not valid.
    """
    if fleet not in (None, *get_args(FleetKind)):
        raise UsageError(f"--fleet '{fleet}' is unknown; choose from: {', '.join(get_args(FleetKind))}")
    extra = [f"seeds.{purpose}={seed}" for purpose in SEEDED] if seed is not None else []
    extra += [f"rounds.count={rounds}"] if rounds else []
    extra += [f"agents.count={agents}"] if agents else []
    extra += [f"fleet={fleet}"] if fleet is not None else []
    return library.load_experiment(profile, [*extra, *sets])


def check_methods(experiments: Sequence[Experiment], methods: Sequence[Method]) -> None:
    """See that each experiment can be run with each method.

    Raises:
        ProfileError: one cannot; the sentence says which could be.
    """
    for experiment, method in itertools.product(experiments, methods):
        experiment.check(method)


def check_tables(experiments: Sequence[Experiment], methods: Sequence[Method]) -> None:
    """See that the tables of device and link have the seconds of all that would be run on a virtual fleet.

    Raises:
        ProfileError: one does not.
    """
    for experiment, method in itertools.product(experiments, methods):
        if experiment.virtual:
            VirtualSeconds(experiment, method)


@dataclass(frozen=True)
class AgentOptions:
    """What the command line says about agents: --bind, --agents, --external and --keys; and about a cluster: --ray."""

    bind: str | None = None
    count: int | None = None
    external: bool = False
    keys: Path | None = None
    ray: str | None = None

    def given(self) -> list[str]:
        """The options about agents that were given."""
        said = {"--bind": self.bind, "--agents": self.count, "--external": self.external, "--keys": self.keys}
        return [option for option, value in said.items() if value]

    def over(self, said: AgentOptions) -> AgentOptions:
        """These options, and where one was not given, the one that was ``said`` before."""
        names = (field.name for field in fields(self))
        return AgentOptions(**{name: getattr(self, name) or getattr(said, name) for name in names})

    @classmethod
    def recorded(cls, environment: Mapping[str, Any]) -> AgentOptions:
        """What was said when the run was started, as its header tells; nothing of a run that is older than that."""
        said = environment.get("agents") or {}
        keys = said.get("keys")
        return cls(said.get("bind"), None, bool(said.get("external")), Path(keys) if keys else None, said.get("ray"))


def check_fleet(experiments: Sequence[Experiment], options: AgentOptions) -> None:
    """See that nothing is asked of agents where the fleet is virtual, that agents have devices of their own where the
    kernel is to keep their links, that keys are there where they are needed, and a cluster where one is to train.

    Raises:
        UsageError: one of these is not so.
    """
    given = options.given()
    if given and any(experiment.virtual for experiment in experiments):
        raise UsageError(f"{given[0]} is of real agents, and a virtual fleet has none; leave it out, or --fleet zeromq")
    for experiment in experiments:
        if not experiment.virtual:
            check_devices(experiment.link, not options.external, options.bind)
    check_cluster(any(experiment.fleet == "ray" for experiment in experiments), options.ray)
    controller_security(options.bind, options.keys, {})


def check_cluster(wanted: bool, address: str | None) -> None:
    """See that a cluster is there where one is ``wanted``, and that none is named where not.

    Raises:
        UsageError: one of these is not so.
    """
    if wanted:
        check_address(address_of_cluster(address))
    elif address is not None:
        raise UsageError("--ray names a cluster, and this fleet does not train on one; leave it out, or --fleet ray")


def check_folders(data: Path | None, models: Path | None, out: Path | None = None) -> None:
    """See that the folders exist which were named, and that ``out`` is one or can be made.

    Raises:
        UsageError: one does not, or is a file.
    """
    there = next((path for path in (out, *out.parents) if path.exists()), None) if out else None
    if there is not None and not there.is_dir():
        raise UsageError(f"--out {out}: {there} is a file; give a folder")
    for option, folder in (("--data", data), ("--models", models)):
        if folder is not None and not folder.is_dir():
            raise UsageError(f"{option} {folder}: there is no such folder; give the folder that holds the files")


def print_configs(experiments: Sequence[Experiment]) -> None:
    """Resolved profiles and their hashes as JSON on stdout: an object, or a list of several."""
    shown = [{"profile_sha256": fingerprint(one), **msgspec.to_builtins(one)} for one in experiments]
    print_json(shown if len(shown) > 1 else shown[0])


def partition(profile: str | None, sets: Sequence[str], data: Path | None, models: Path | None, as_json: bool) -> None:
    """What the clients of an experiment hold, on stdout; nothing is trained.

    Raises:
        UsageError: no profile is named, or its data set, or the model that its classes ask for, is not there.
    """
    from harness.learning.clients import clients_of

    if profile is None:
        raise UsageError("profiles partition: name the profile, such as: federa-bench profiles partition quickstart")
    check_folders(data, models)
    screen = Console(stderr=True)

    def say(line: str) -> None:
        screen.print(line, style="dim", highlight=False, markup=False)

    clients = clients_of(library.load_experiment(profile, sets), data, models, say)
    if as_json:
        print_json(clients)
    else:
        listing.show_clients(Console(), clients)


def print_json(value: object) -> None:
    """Any record as JSON on stdout, for programs and people."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value)).decode() + "\n")


def bench(
    experiments: Sequence[Experiment],
    methods: Sequence[Method],
    data: Path | None,
    models: Path | None,
    out: Path,
    agents: AgentOptions,
) -> int:
    """Run the methods of each experiment one after another, then write one report; the report's exit code.

    A method that fails does not keep the others from their turn; its sentence is said, and said again by its folder.
    """
    from harness.bench import RunOptions, new_run
    from harness.learning.workload import Sources

    options = RunOptions(out, agents.bind, not agents.external, agents.keys, cluster=agents.ray)
    folders, failure = [], None
    for experiment, method in itertools.product(experiments, methods):
        folder = new_run(experiment, method, Sources(data=data, models=models), options)
        folders.append(folder)
        failure = _one_of(folder, len(methods) * len(experiments) > 1, agents) or failure
    code = report([folder.path for folder in folders])
    return failure.exit_code if failure else code


def _one_of(folder: RunFolder, several: bool, agents: AgentOptions) -> FederaBenchError | None:
    """Carry a run on; one of several may fail alone, but not for what would stop every one."""
    try:
        carry_on(folder, agents)
    except FederaBenchError as error:
        if not several or error.exit_code != 1:
            raise
        sys.stderr.write(f"federa-bench: {error}\n")
        return error
    return None


def carry_on(folder: RunFolder, agents: AgentOptions) -> None:
    """Run a folder to its end, with progress on stderr. What is not said of agents now counts as it was said when the
    run was started: nobody's devices are replaced by this machine unasked.

    Raises:
        UsageError: something is asked of agents, and the run's fleet is virtual; or keys are needed and missing.
        FederaBenchError: the run failed or could not be resumed.
    """
    from harness.bench import RunOptions
    from harness.bench import carry_on as run_on
    from harness.progress import ProgressScreen

    header = folder.read_header()
    experiment = build(header.profile, str(folder.path / "header.json"))
    agents = agents.over(AgentOptions.recorded(header.environment))
    check_fleet([experiment], agents)
    options = RunOptions(folder.path.parent, agents.bind, not agents.external, agents.keys, cluster=agents.ray)
    console = Console(stderr=True)
    console.print(
        f"[bold]{header.method}[/bold] on {experiment.name}, seed {header.seed}: {escape(str(folder.path))}",
        highlight=False,
        soft_wrap=True,
    )
    with ProgressScreen(console, experiment, header.method) as screen:
        run_on(folder, options, screen)


def report(folders: Sequence[Path]) -> int:
    """Have the report of these runs written and their table printed; its exit code."""
    return other_package("report")([str(folder) for folder in folders])
