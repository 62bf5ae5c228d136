"""The command ``federa-bench``: takes what the user wants, and ends in one sentence where it cannot be."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from harness import launch, library, listing
from harness.errors import FederaBenchError, RunInterruptedError, UsageError
from harness.profiles import METHODS

app = typer.Typer(
    help="Benchmark federated fine-tuning of language models on edge devices: seconds and bytes to a target.",
    add_completion=False,
    pretty_exceptions_enable=False,
)
PASS_ON: dict[str, Any] = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}

ProfileName = Annotated[str, typer.Argument(help="A profile's name (federa-bench profiles) or a YAML file.")]
SetOption = Annotated[list[str] | None, typer.Option("--set", metavar="A.B=C", help="Override a key of the profile.")]
Data = Annotated[Path | None, typer.Option(help="Folder of local parquet data sets.")]
Models = Annotated[Path | None, typer.Option(help="Folder of local pretrained models.")]
Rounds = Annotated[int | None, typer.Option(min=1, help="Number of rounds, instead of the profile's.")]
Seed = Annotated[int | None, typer.Option(min=0, help="Seed of cohort, initialisation, training, link. Default: 0.")]
Out = Annotated[Path, typer.Option(help="Folder in which run folders are made.")]
Bind = Annotated[str | None, typer.Option(help="Endpoint for agents, tcp://HOST:PORT. Default: a port of loopback.")]
Agents = Annotated[int | None, typer.Option(min=1, help="How many agents, instead of the profile's.")]
FleetName = Annotated[str | None, typer.Option("--fleet", help="zeromq (agents) or virtual, instead of the profile's.")]
External = Annotated[bool, typer.Option("--external", help="Start no agents here; wait for those on devices.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check the profile, say what would be done, do nothing.")]
PrintConfig = Annotated[bool, typer.Option("--print-config", help="Print the resolved profile as JSON and stop.")]
Json = Annotated[bool, typer.Option("--json", help="For programs.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show a traceback where something fails.")]


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
        profile, method, seed, data, models, rounds, out, set_, bind, agents, external, fleet, dry_run, print_config
    )


@app.command()
def compare(
    profile: ProfileName = "quickstart",
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
    """Run several methods of an experiment, one after another, and write one report of them all."""
    experiment = launch.experiment_of(profile, set_ or [], rounds, agents, seed, fleet)
    wanted = launch.methods_of(methods)
    if print_config:
        launch.print_config(experiment)
        return 0
    launch.check_folders(data, models)
    if dry_run:
        listing.plan(Console(), experiment, wanted)
        return 0
    return launch.bench(experiment, wanted, data, models, out, bind, external)


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
    name: Annotated[str | None, typer.Argument(help="Show this one, resolved; default: list all.")] = None,
    of: Annotated[str | None, typer.Argument(metavar="PROFILE", help="After `partition`: whose clients.")] = None,
    set_: SetOption = None,
    data: Data = None,
    models: Models = None,
    as_json: Json = False,
    debug: Debug = False,
) -> int:
    """List the experiments there are, show one with everything it names put in, or what its clients hold:
    `profiles`, `profiles quickstart`, `profiles partition quickstart`."""
    if name is None:
        listing.show_profiles(Console(), library.list_experiments())
    elif name == "partition":
        launch.partition(of, set_ or [], data, models, as_json)
    elif of is not None:
        raise UsageError(f"'{of}' is one word too many; the commands are: profiles {name}, profiles partition {of}")
    else:
        launch.print_config(library.load_experiment(name, set_ or []))
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
    """Show runs' time to target under another link or device, without training again (see: ... retime --help)."""
    return launch.other_package("retime")(context.args)


def main(argv: list[str] | None = None) -> int:
    """Entry point. Returns the exit code: 0 done, 1 failed, 2 bad usage, 3 no agents came, 130 interrupted."""
    arguments = (sys.argv[1:] if argv is None else argv) or ["--help"]
    try:
        code = int(app(arguments, standalone_mode=False) or 0)
    except Exception as error:
        if "--debug" in arguments:
            raise
        return _ended(error)
    if code == RunInterruptedError.exit_code:  # the parser's word for Ctrl-C outside of a run
        _complain("interrupted")
    return code


def _ended(error: Exception) -> int:
    """Say what went wrong in one sentence; the exit code."""
    if isinstance(error, FederaBenchError):
        _complain(str(error))
        return error.exit_code
    if hasattr(error, "exit_code") and hasattr(error, "format_message"):  # the parser's own usage errors
        _complain(f"{error.format_message()} See: federa-bench --help")
        return int(error.exit_code)
    if isinstance(error, OSError) and error.filename:
        _complain(f"{error.filename}: {error.strerror}; mend that, then go on (federa-bench status says how)")
        return 1
    if isinstance(error, ModuleNotFoundError):
        _complain(f"package {error.name} is not installed here; install: pip install 'federa-bench[controller]'")
        return UsageError.exit_code
    _complain(f"unexpected {type(error).__name__}: {error}; run again with --debug for the traceback")
    return 1


def _complain(sentence: str) -> None:
    sys.stderr.write(f"federa-bench: {sentence}\n")
