"""``federa-bench profiles``: lists the experiments, shows one, or what its clients hold; or measures runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from harness import launch, library
from harness.errors import UsageError
from harness.library import Listed

GROUPS = {
    ("zeromq", True): "Anywhere: agents on this machine, data and model of the package",
    ("virtual", True): "Anywhere: virtual fleet, data and model of the package",
    ("zeromq", False): "With data and a model: agents, on this machine or on devices",
    ("virtual", False): "With data and a model: virtual fleet",
}
"""Headings of the list, by fleet and by whether the data set is one of the package's."""


@dataclass(frozen=True)
class ProfilesOptions:
    """What the command line says. ``name`` None: the list; ``of`` are the words after the first."""

    name: str | None = None
    of: tuple[str, ...] = ()
    find: str | None = None
    sets: tuple[str, ...] = ()
    data: Path | None = None
    models: Path | None = None
    out: Path | None = None
    as_json: bool = False


def profiles(options: ProfilesOptions) -> None:
    """Do what the words ask for.

    Raises:
        UsageError: a word or an option has no place there, or nothing is found.
    """
    name, of = options.name, options.of
    if options.find is not None and name is not None:
        raise UsageError(f"--find is of the list of experiments; leave out '{name}', or --find")
    if options.out is not None and name != "measure":
        raise UsageError("--out is of: federa-bench profiles measure RUN; leave it out")
    if name is None:
        _list(options.find, options.as_json)
    elif name == "measure":
        from harness.measure_command import measure

        measure([Path(word) for word in of], options.out, options.as_json)
    elif name == "partition":
        if len(of) > 1:
            raise UsageError(f"'{of[1]}' is one word too many; profiles partition shows one profile")
        launch.partition(of[0] if of else None, options.sets, options.data, options.models, options.as_json)
    elif of:
        raise UsageError(
            f"'{of[0]}' is one word too many; the commands are: profiles {name}, profiles partition {of[0]}"
        )
    else:
        launch.print_configs([library.load_experiment(name, options.sets)])


def _list(word: str | None, as_json: bool) -> None:
    experiments = found(library.list_experiments(), word or "")
    if as_json:
        launch.print_json([experiment._asdict() for experiment in experiments])
    else:
        show(Console(), experiments, with_commands=word is not None)


def found(experiments: Sequence[Listed], word: str) -> list[Listed]:
    """The experiments with ``word`` in name or description, in letters of any size.

    Raises:
        UsageError: there is none.
    """
    having = [one for one in experiments if word.lower() in f"{one.name} {one.description}".lower()]
    if not having:
        raise UsageError(f"no experiment has '{word}' in its name or description; see all with: federa-bench profiles")
    return having


def show(console: Console, experiments: Sequence[Listed], with_commands: bool) -> None:
    """The experiments by what they want, each with what it is; where asked, with the command that runs it.

    A command is on a line of its own and is never cut, so that it can be copied.
    """
    width = max(len(experiment.name) for experiment in experiments)
    for key, heading in GROUPS.items():
        group = [one for one in experiments if (_kind(one), one.brought_along) == key]
        if not group:
            continue
        console.print(heading, style="bold", markup=False, highlight=False)
        for one in group:
            line = Table.grid(Column(min_width=width, no_wrap=True), Column(), padding=(0, 2))
            line.add_row(escape(one.name), escape(one.description))
            console.print(line, highlight=False)
            if with_commands:
                console.print(f"    {one.command}", style="dim", markup=False, highlight=False, soft_wrap=True)
        console.print()
    if not with_commands:
        console.print(
            f"{len(experiments)} experiments. Some of them, with their commands: federa-bench profiles --find alpha",
            highlight=False,
            soft_wrap=True,
        )


def _kind(one: Listed) -> str:
    """Agents or a virtual fleet: that one is trained on a cluster changes nothing of what it is."""
    return "virtual" if one.fleet == "ray" else one.fleet
