"""The options that commands of ``federa-bench`` share, as the parser reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from harness.errors import UsageError
from harness.profiles import AGGREGATION_METHODS, FEDERA_METHODS, METHODS, Method

GROUPS: dict[str, tuple[str, ...]] = {
    "all": FEDERA_METHODS,
    "aggregation": ("fedlr", "federa", *AGGREGATION_METHODS, "central"),
}
"""Words that stand for several methods."""

ProfileName = Annotated[str, typer.Argument(help="A profile's name (federa-bench profiles) or a YAML file.")]
ProfileNames = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="PROFILE...", help="Profiles' names (federa-bench profiles) or YAML files. Default: quickstart."
    ),
]
Methods = Annotated[
    str,
    typer.Option(
        help="Methods, separated by spaces; or 'all' (FeDeRA's five), or 'aggregation' (of low-rank adapters)."
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
FleetName = Annotated[
    str | None,
    typer.Option("--fleet", help="zeromq (agents), virtual, or ray (virtual, over a cluster), not the profile's."),
]
Ray = Annotated[
    str | None,
    typer.Option(
        "--ray", metavar="ADDRESS", help="The Ray cluster of --fleet ray. Default: RAY_ADDRESS, or this machine alone."
    ),
]
External = Annotated[bool, typer.Option("--external", help="Start no agents here; wait for those on devices.")]
AS_BEGUN = "Default: as the run was begun."
BindAgain = Annotated[str | None, typer.Option("--bind", help=f"Endpoint for agents, tcp://HOST:PORT. {AS_BEGUN}")]
KeysAgain = Annotated[Path | None, typer.Option("--keys", metavar="DIR", help=f"Folder of keys. {AS_BEGUN}")]
RayAgain = Annotated[str | None, typer.Option("--ray", metavar="ADDRESS", help=f"The Ray cluster. {AS_BEGUN}")]
ExternalAgain = Annotated[
    bool, typer.Option("--external", help=f"Start no agents here; wait for those on devices. {AS_BEGUN}")
]
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
Jobs = Annotated[
    int | None,
    typer.Option(min=1, help="Runs at a time. Default: 1; over a cluster, as many as it has cores for."),
]
RetryFailed = Annotated[bool, typer.Option("--retry-failed", help="Try runs again that failed before.")]


def methods_of(names: str) -> list[Method]:
    """The methods that a list of names stands for, in its order; a word may be that of a group.

    ``all`` are FeDeRA's five, ``aggregation`` those that aggregate low-rank adapters, with FedLR, FeDeRA and central
    beside them.

    Raises:
        UsageError: a name is unknown, or there is none.
    """
    words = names.replace(",", " ").split()
    wanted = [name for word in words for name in GROUPS.get(word, (word,))]
    choices = ", ".join((*METHODS, *GROUPS))
    if not wanted:
        raise UsageError(f"--methods names no method; choose from: {choices}")
    for name in wanted:
        if name not in METHODS:
            raise UsageError(f"method '{name}' is unknown; choose from: {choices}")
    grouped = any(word in GROUPS for word in words)
    return msgspec.convert(list(dict.fromkeys(wanted)) if grouped else wanted, list[Method])
