"""``federa-bench run``, ``compare`` and ``resume``: runs, from what the command line says to their report.

What carries them out is imported when one is asked for: ``--help`` waits for nothing that it does not need.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from harness.options import (
    Agents,
    Bind,
    BindAgain,
    Data,
    Debug,
    DryRun,
    External,
    ExternalAgain,
    FleetName,
    Keys,
    KeysAgain,
    Methods,
    Models,
    Out,
    PrintConfig,
    ProfileName,
    ProfileNames,
    Ray,
    RayAgain,
    Rounds,
    Seed,
    SetOption,
    methods_of,
)
from harness.profiles import METHODS, Experiment

if TYPE_CHECKING:
    from harness.launch import AgentOptions


def run(
    profile: ProfileName = "quickstart",
    method: Annotated[str, typer.Option(help=f"One of: {', '.join(METHODS)}.")] = "federa",
    seed: Seed = None,
    data: Data = None,
    models: Models = None,
    rounds: Rounds = None,
    out: Out = Path("runs"),
    set_: SetOption = None,
    bind: Bind = None,
    agents: Agents = None,
    external: External = False,
    keys: Keys = None,
    fleet: FleetName = None,
    ray: Ray = None,
    dry_run: DryRun = False,
    print_config: PrintConfig = False,
    debug: Debug = False,
) -> int:
    """Run one method of an experiment, print its time to target, write its report."""
    from harness import launch

    given = launch.AgentOptions(bind, agents, external, keys, ray)
    experiments = [launch.experiment_of(profile, set_ or [], rounds, agents, seed, fleet)]
    return _bench(experiments, method, data, models, out, given, dry_run, print_config)


def compare(
    profiles_: ProfileNames = None,
    methods: Methods = "all",
    seed: Seed = None,
    data: Data = None,
    models: Models = None,
    rounds: Rounds = None,
    out: Out = Path("runs"),
    set_: SetOption = None,
    bind: Bind = None,
    agents: Agents = None,
    external: External = False,
    keys: Keys = None,
    fleet: FleetName = None,
    ray: Ray = None,
    dry_run: DryRun = False,
    print_config: PrintConfig = False,
    debug: Debug = False,
) -> int:
    """Run several methods of an experiment, or of several, one after another, and write one report of them all."""
    from harness import launch

    names = profiles_ or ["quickstart"]
    experiments = [launch.experiment_of(name, set_ or [], rounds, agents, seed, fleet) for name in names]
    given = launch.AgentOptions(bind, agents, external, keys, ray)
    return _bench(experiments, methods, data, models, out, given, dry_run, print_config)


def resume(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of an interrupted run.")],
    bind: BindAgain = None,
    external: ExternalAgain = False,
    keys: KeysAgain = None,
    ray: RayAgain = None,
    debug: Debug = False,
) -> int:
    """Go on with a run that was interrupted, from its last recorded event."""
    from harness import launch
    from harness.bench import resumable

    folder = resumable(run_folder)
    launch.carry_on(folder, launch.AgentOptions(bind, None, external, keys, ray))
    return launch.report([folder.path])


def _bench(
    experiments: Sequence[Experiment],
    methods: str,
    data: Path | None,
    models: Path | None,
    out: Path,
    agents: AgentOptions,
    dry_run: bool,
    print_config: bool,
) -> int:
    from harness import launch, listing

    wanted = methods_of(methods)
    launch.check_methods(experiments, wanted)
    if print_config:
        launch.print_configs(experiments)
        return 0
    launch.check_folders(data, models, out)
    launch.check_fleet(experiments, agents)
    launch.check_tables(experiments, wanted)
    if dry_run:
        for experiment in experiments:
            listing.plan(Console(), experiment, wanted)
        return 0
    return launch.bench(experiments, wanted, data, models, out, agents)
