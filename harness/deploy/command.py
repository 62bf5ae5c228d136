"""``federa-bench deploy``: puts agents on devices over ssh, renews them, and takes them away."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from harness.deploy import inventory, wheelhouse
from harness.deploy.fleet import summary, visit_all
from harness.deploy.office import Office
from harness.deploy.package import built
from harness.deploy.visit import Note, Outcome, deploy, failures, remove
from harness.deploy.wish import Wish, checked, name_of
from harness.errors import DeployError, FederaBenchError, RunInterruptedError, UsageError
from harness.keys import default_folder

JOBS = 10
JETPACK_PYTHON, MACHINE = "3.10", "aarch64"


def main(argv: Sequence[str] | None = None) -> int:
    """Deploy or remove; the exit code: 0 all devices done, 1 one or more failed, 2 bad usage, 130 interrupted."""
    options = _parser().parse_args(argv)
    try:
        if options.fill_wheelhouse:
            return _fill(options)
        outcomes = _carry_out(options, wishes(options))
    except FederaBenchError as error:
        sys.stderr.write(f"federa-bench deploy: {error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        sys.stderr.write("federa-bench deploy: interrupted; the same command goes on\n")
        return RunInterruptedError.exit_code
    failed = failures(outcomes)
    codes = {outcome.exit_code for outcome in failed}
    return codes.pop() if len(codes) == 1 else DeployError.exit_code if codes else 0


def _fill(options: argparse.Namespace) -> int:
    python, _, machine = options.wheels_for.partition("-")
    wanted = wheelhouse.fill(options.fill_wheelhouse, python, machine or MACHINE)
    sys.stdout.write(
        f"{len(wanted)} packages for Python {python} on {machine or MACHINE} are in {options.fill_wheelhouse}\n"
        f"next: federa-bench deploy HOST --wheelhouse {options.fill_wheelhouse}\n"
    )
    return 0


def wishes(options: argparse.Namespace) -> list[Wish]:
    """What is wanted of each device that the command line names, or the inventory.

    Raises:
        UsageError: neither names any, or a value cannot be.
    """
    if bool(options.hosts) == bool(options.inventory):
        raise UsageError("name the devices, like user@orin-01, or an inventory: --inventory devices.yaml")
    if options.name and len(options.hosts) != 1:
        raise UsageError("--name is for one device; give several their names in an inventory")
    if options.inventory:
        found = inventory.read(options.inventory)
    else:
        found = [Wish(host=host, name=options.name or name_of(host)) for host in options.hosts]
        inventory.once("the command line", found)
    return [checked(_said(wish, options)) for wish in found]


def _said(wish: Wish, options: argparse.Namespace) -> Wish:
    """The wish with what the command line says for all devices; an inventory's own word counts more."""
    return Wish(
        host=wish.host,
        name=wish.name,
        connect=wish.connect or options.controller,
        options=options.options if wish.options is None else wish.options,
        python=wish.python or options.python,
        torch_from_index=options.torch_from_index,
        new_controller_key=options.new_controller_key,
    )


@dataclass(frozen=True)
class _Errand:
    """What is done on every device."""

    office: Office
    removes: bool
    keep_cache: bool
    dry_run: bool

    def __call__(self, wish: Wish, note: Note) -> Outcome:
        if self.removes:
            return remove(wish, self.office, note, keep_cache=self.keep_cache, dry_run=self.dry_run)
        return deploy(wish, self.office, note, dry_run=self.dry_run)


def _carry_out(options: argparse.Namespace, wanted: Sequence[Wish]) -> list[Outcome]:
    keys = options.keys or default_folder()
    console = Console()
    with tempfile.TemporaryDirectory(prefix="federa-bench-") as folder:
        office = Office(keys, options.ssh_config)
        if not options.remove:
            office.controller()
            office = replace(office, package=built(Path(folder), options.wheel, options.wheelhouse))
        errand = _Errand(office, options.remove, options.keep_cache, options.dry_run)
        outcomes = visit_all(wanted, errand, console, options.jobs)
    summary(console, outcomes)
    return outcomes


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="federa-bench deploy",
        description="Put an agent on devices over ssh, renew it there, or take it away (docs/deploy.md).",
    )
    add = parser.add_argument
    add("hosts", nargs="*", metavar="HOST", help="a device as ssh knows it, like user@orin-01")
    add("--inventory", type=Path, metavar="FILE", help="a YAML file that lists the devices")
    add("--controller", metavar="tcp://HOST:PORT", help="the controller's address (default: the one it has)")
    add("--name", help="what the agent is called (default: the host's name)")
    add("--options", metavar="'--a b'", help="more options of the agent's command (default: those it has)")
    add("--python", default="python3", help="the device's Python (%(default)s)")
    add("--wheelhouse", type=Path, metavar="DIR", help="install from these wheels alone: for devices without internet")
    add("--fill-wheelhouse", type=Path, metavar="DIR", help="fetch the wheels that devices need, and do nothing else")
    add(
        "--wheels-for",
        default=f"{JETPACK_PYTHON}-{MACHINE}",
        metavar="PYTHON-MACHINE",
        help="for which devices (%(default)s: JetPack 6)",
    )
    add("--wheel", type=Path, metavar="FILE", help="a wheel of federa-bench (default: built of these sources)")
    add("--torch-from-index", action="store_true", help="let pip install a torch where the device has none")
    add("--new-controller-key", action="store_true", help="let devices trust another controller than before")
    add("--keys", type=Path, metavar="DIR", help="the controller's folder of keys (~/.config/federa-bench/keys)")
    add("--ssh-config", type=Path, metavar="FILE", help="a configuration of ssh in place of ~/.ssh/config")
    add("--jobs", type=int, default=JOBS, metavar="N", help="devices at a time (%(default)s)")
    add("--dry-run", action="store_true", help="look at the devices, print the steps as commands, take none")
    add("--remove", action="store_true", help="take the agent away, and let its key in no more")
    add("--keep-cache", action="store_true", help="of --remove: leave the cache with base weights and data")
    return parser
