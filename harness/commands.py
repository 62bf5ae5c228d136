"""The commands that share a parser, and a line of help for those that have one of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from harness.options import (
    Data,
    Debug,
    DryRun,
    FleetName,
    Jobs,
    Json,
    Lrs,
    Methods,
    Models,
    Out,
    ProfileName,
    Ray,
    RetryFailed,
    Rounds,
    Seeds,
    SetOption,
    TuneRounds,
    TuneSeeds,
)
from harness.passed_on import PASSED_ON, passed_on
from harness.runs_command import compare, resume, run

app = typer.Typer(
    help="Benchmark federated fine-tuning of language models on edge devices: seconds and bytes to a target.",
    add_completion=False,
    pretty_exceptions_enable=False,
)
PASS_ON: dict[str, Any] = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


for command in (run, compare, resume):
    app.command()(command)


@app.command()
def sweep(
    profile: ProfileName = "quickstart",
    methods: Methods = "all",
    lrs: Lrs = "grid",
    seeds: Seeds = "0-4",
    tune_seeds: TuneSeeds = None,
    tune_rounds: TuneRounds = None,
    jobs: Jobs = None,
    retry_failed: RetryFailed = False,
    fleet: FleetName = None,
    ray: Ray = None,
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
            ray=ray,
            sets=tuple(set_ or ()),
            retry_failed=retry_failed,
            dry_run=dry_run,
            as_json=as_json,
        )
    )


@app.command()
def status(
    runs: Annotated[list[Path] | None, typer.Argument(help="Run folders; default: all below --out.")] = None,
    out: Out = Path("runs"),
    as_json: Json = False,
    debug: Debug = False,
) -> int:
    """Show runs: how far they are, their last metric, and the command that resumes one that stopped."""
    from harness import launch, listing

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
    from harness.profiles_command import ProfilesOptions
    from harness.profiles_command import profiles as carry_out

    carry_out(ProfilesOptions(name, tuple(of or ()), find, tuple(set_ or ()), data, models, out, as_json))
    return 0


def _pass_on(context: typer.Context) -> int:
    return passed_on(str(context.info_name))(context.args)


for passed, about in PASSED_ON.items():
    help_ = f"{about.says} (see: federa-bench {passed} --help)."
    app.command(passed, help=help_, context_settings=PASS_ON)(_pass_on)
