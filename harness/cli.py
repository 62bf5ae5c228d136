"""The command ``federa-bench``: takes what the user wants, and ends in one sentence where it cannot be."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from harness import launch, listing
from harness.complaints import complain, ended
from harness.errors import RunInterruptedError
from harness.options import (
    Agents,
    Bind,
    Data,
    Debug,
    DryRun,
    External,
    FleetName,
    Jobs,
    Json,
    Lrs,
    Models,
    Out,
    PrintConfig,
    ProfileName,
    ProfileNames,
    RetryFailed,
    Rounds,
    Seed,
    Seeds,
    SetOption,
    TuneRounds,
    TuneSeeds,
)
from harness.profiles import METHODS
from harness.profiles_command import ProfilesOptions
from harness.profiles_command import profiles as carry_out

app = typer.Typer(
    help="Benchmark federated fine-tuning of language models on edge devices: seconds and bytes to a target.",
    add_completion=False,
    pretty_exceptions_enable=False,
)
PASS_ON: dict[str, Any] = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


@app.command()
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
    fleet: FleetName = None,
    dry_run: DryRun = False,
    print_config: PrintConfig = False,
    debug: Debug = False,
) -> int:
    """Run one method of an experiment, print its time to target, write its report."""
    return compare(
        [profile], method, seed, data, models, rounds, out, set_, bind, agents, external, fleet, dry_run, print_config
    )


@app.command()
def compare(
    profiles_: ProfileNames = None,
    methods: Annotated[str, typer.Option(help="Methods, separated by spaces, or 'all'.")] = "all",
    seed: Seed = None,
    data: Data = None,
    models: Models = None,
    rounds: Rounds = None,
    out: Out = Path("runs"),
    set_: SetOption = None,
    bind: Bind = None,
    agents: Agents = None,
    external: External = False,
    fleet: FleetName = None,
    dry_run: DryRun = False,
    print_config: PrintConfig = False,
    debug: Debug = False,
) -> int:
    """Run several methods of an experiment, or of several, one after another, and write one report of them all."""
    names = profiles_ or ["quickstart"]
    experiments = [launch.experiment_of(name, set_ or [], rounds, agents, seed, fleet) for name in names]
    wanted = launch.methods_of(methods)
    if print_config:
        launch.print_configs(experiments)
        return 0
    launch.check_folders(data, models, out)
    launch.check_fleet(experiments, bind, agents, external)
    launch.check_tables(experiments, wanted)
    if dry_run:
        for experiment in experiments:
            listing.plan(Console(), experiment, wanted)
        return 0
    return launch.bench(experiments, wanted, data, models, out, bind, external)


@app.command()
def sweep(
    profile: ProfileName = "quickstart",
    methods: Annotated[str, typer.Option(help="Methods, separated by spaces, or 'all'.")] = "all",
    lrs: Lrs = "grid",
    seeds: Seeds = "0-4",
    tune_seeds: TuneSeeds = None,
    tune_rounds: TuneRounds = None,
    jobs: Jobs = 1,
    retry_failed: RetryFailed = False,
    fleet: FleetName = None,
    data: Data = None,
    models: Models = None,
    rounds: Rounds = None,
    out: Out = Path("runs"),
    set_: SetOption = None,
    dry_run: DryRun = False,
    as_json: Json = False,
    debug: Debug = False,
) -> int:
    """Choose each method's learning rate on the validation split, then test it over seeds; the same command goes on."""
    from harness.sweep.command import sweep as sweep_on
    from harness.sweep.options import SweepOptions

    return sweep_on(
        SweepOptions(
            profile=profile,
            methods=methods,
            lrs=lrs,
            seeds=seeds,
            tune_seeds=tune_seeds,
            jobs=jobs,
            out=out,
            data=data,
            models=models,
            rounds=rounds,
            tune_rounds=tune_rounds,
            fleet=fleet,
            sets=tuple(set_ or ()),
            retry_failed=retry_failed,
            dry_run=dry_run,
            as_json=as_json,
        )
    )


@app.command()
def resume(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of an interrupted run.")],
    bind: Bind = None,
    external: External = False,
    debug: Debug = False,
) -> int:
    """Go on with a run that was interrupted, from its last recorded event."""
    from harness.bench import resumable

    folder = resumable(run_folder)
    launch.carry_on(folder, bind, external)
    return launch.report([folder.path])


@app.command()
def status(
    runs: Annotated[list[Path] | None, typer.Argument(help="Run folders; default: all below --out.")] = None,
    out: Out = Path("runs"),
    as_json: Json = False,
    debug: Debug = False,
) -> int:
    """Show runs: how far they are, their last metric, and the command that resumes one that stopped."""
    rows = listing.runs(runs or [], out)
    if as_json:
        launch.print_json(rows)
    else:
        listing.show_runs(Console(), rows, out)
    return 0


@app.command()
def profiles(
    name: Annotated[
        str | None,
        typer.Argument(metavar="PROFILE|partition|measure", help="Show this one, resolved; default: list all."),
    ] = None,
    of: Annotated[
        list[str] | None,
        typer.Argument(metavar="PROFILE|RUN...", help="After `partition`: a profile; after `measure`: run folders."),
    ] = None,
    find: Annotated[str | None, typer.Option(help="List those with this in name or description.")] = None,
    set_: SetOption = None,
    data: Data = None,
    models: Models = None,
    out: Annotated[Path | None, typer.Option(help="Of `measure`: where the files go; default: the first run.")] = None,
    as_json: Json = False,
    debug: Debug = False,
) -> int:
    """List the experiments, show one or what its clients hold, or make profiles of what runs measured.

    profiles --find alpha: some of the list, with their commands.

    profiles quickstart: one with everything that it names put in.

    profiles partition quickstart: what each of its clients holds.

    profiles measure RUN: a device and a link of what a run on agents measured.
    """
    carry_out(ProfilesOptions(name, tuple(of or ()), find, tuple(set_ or ()), data, models, out, as_json))
    return 0


@app.command(context_settings=PASS_ON)
def agent(context: typer.Context) -> int:
    """Run an agent on a device (see: federa-bench agent --help)."""
    return launch.other_package("agent")(context.args)


@app.command(context_settings=PASS_ON)
def report(context: typer.Context) -> int:
    """Write tables and an HTML report of one or more runs (see: federa-bench report --help)."""
    return launch.other_package("report")(context.args)


@app.command(context_settings=PASS_ON)
def retime(context: typer.Context) -> int:
    """Show what runs would take over another link or device, without training (see: federa-bench retime --help)."""
    return launch.other_package("retime")(context.args)


def main(argv: list[str] | None = None) -> int:
    """Entry point. Returns the exit code: 0 done, 1 failed, 2 bad usage, 3 no agents came, 130 interrupted."""
    arguments = (sys.argv[1:] if argv is None else argv) or ["--help"]
    try:
        code = int(app(arguments, standalone_mode=False) or 0)
    except Exception as error:
        if "--debug" in arguments:
            raise
        return ended(error)
    if code == RunInterruptedError.exit_code:  # the parser's word for Ctrl-C outside of a run
        complain("interrupted")
    return code
