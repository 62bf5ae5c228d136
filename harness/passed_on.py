"""Commands with a parser of their own: they get the rest of the line as it is, without the start of the others."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple

from harness.errors import UsageError

COMMANDS_GROUP = "federa_bench.commands"

Command = Callable[[list[str]], int]


class PassedOn(NamedTuple):
    """What it is for, and the harness's module whose ``main`` it is; None: another package's, by its entry point."""

    says: str
    module: str | None = None


PASSED_ON = {
    "agent": PassedOn("Run an agent on a device"),
    "report": PassedOn("Write tables and an HTML report of one or more runs"),
    "retime": PassedOn("Show what runs would take over another link or device, without training"),
    "export": PassedOn("Write a run as an adapter for PEFT, a whole model, a trace", "harness.exporting.command"),
    "doctor": PassedOn("Examine this machine before it takes part", "harness.doctor_command"),
    "shaper": PassedOn("Run the privileged helper that shapes links in the kernel", "harness.shaper_command"),
    "probe": PassedOn("See whether the link between two machines keeps its rate", "harness.probe_command"),
    "keys": PassedOn("Make keys, allow devices, revoke them", "harness.keys_command"),
    "deploy": PassedOn("Put agents on devices over ssh, or remove them", "harness.deploy.command"),
}
"""By name."""


def passed_on(name: str) -> Command:
    """The command of this name, imported now.

    Raises:
        UsageError: it is not installed.
    """
    module = PASSED_ON[name].module
    if module is None:
        return other_package(name)
    command: Command = import_module(module).main
    return command


def other_package(name: str) -> Command:
    """A command of another package, found by its entry point: the harness imports neither agents nor analysis.

    Raises:
        UsageError: it is not installed.
    """
    from importlib.metadata import entry_points  # as long as the rest of this package's start

    found = [entry for entry in entry_points(group=COMMANDS_GROUP) if entry.name == name]
    if not found:
        raise UsageError(f"the command '{name}' is not installed here; install federa-bench with its extras")
    command: Command = found[0].load()
    return command
