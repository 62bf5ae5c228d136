"""The options that commands of ``federa-bench`` share, as the parser reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ProfileName = Annotated[str, typer.Argument(help="A profile's name (federa-bench profiles) or a YAML file.")]
ProfileNames = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="PROFILE...", help="Profiles' names (federa-bench profiles) or YAML files. Default: quickstart."
    ),
]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", metavar="A.B=C", help="Override a key of the profile; may be repeated.")
]
Data = Annotated[Path | None, typer.Option(help="Folder of local parquet data sets.")]
Models = Annotated[Path | None, typer.Option(help="Folder of local pretrained models.")]
Rounds = Annotated[int | None, typer.Option(min=1, help="Number of rounds, instead of the profile's.")]
Seed = Annotated[int | None, typer.Option(min=0, help="Seed of cohort, initialisation, training, link. Default: 0.")]
Out = Annotated[Path, typer.Option(help="Folder in which run folders are made.")]
Bind = Annotated[str | None, typer.Option(help="Endpoint for agents, tcp://HOST:PORT. Default: a port of loopback.")]
Agents = Annotated[int | None, typer.Option(min=1, help="How many agents, instead of the profile's.")]
Keys = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Folder of keys. Default: none on loopback, else ~/.config/federa-bench/keys."),
]
FleetName = Annotated[str | None, typer.Option("--fleet", help="zeromq (agents) or virtual, instead of the profile's.")]
External = Annotated[bool, typer.Option("--external", help="Start no agents here; wait for those on devices.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check the profile, say what would be done, do nothing.")]
PrintConfig = Annotated[bool, typer.Option("--print-config", help="Print the resolved profile as JSON and stop.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show a traceback where something fails.")]
Lrs = Annotated[
    str, typer.Option(help="Learning rates: grid (the paper's), profile (no search), or a list: 4e-3,1e-3.")
]
Seeds = Annotated[str, typer.Option(help="Seeds of the test runs: 0-4, 0,2,5 or 0-2,7.")]
TuneSeeds = Annotated[str | None, typer.Option(help="Seeds of the validation runs. Default: all of --seeds.")]
TuneRounds = Annotated[int | None, typer.Option(min=1, help="Rounds of a validation run. Default: as many.")]
Jobs = Annotated[int, typer.Option(min=1, help="Runs at a time.")]
RetryFailed = Annotated[bool, typer.Option("--retry-failed", help="Try runs again that failed before.")]
