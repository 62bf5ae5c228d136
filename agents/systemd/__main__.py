"""Install the units on this machine: ``python -m agents.systemd``. Starts nothing; writes the files and names them."""

from __future__ import annotations

import argparse
import grp
import sys
from collections.abc import Sequence
from pathlib import Path

from agents.systemd.units import CUDA_GROUPS, KEYS, UNIT_FOLDER, USER_FILE, unit_files, user_file
from harness.durable import replace_whole
from harness.errors import FederaBenchError, not_written


def main(argv: Sequence[str] | None = None) -> int:
    """Write the unit files and the user's; returns the exit code: 0 written, 1 not, 2 bad usage."""
    options = _parser().parse_args(argv)
    try:
        for path in _install(options):
            print(path)
    except FederaBenchError as error:
        print(f"federa-bench units: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m agents.systemd", description="Write the units of systemd for an agent and its helper."
    )
    parser.add_argument("--venv", default=sys.prefix, metavar="DIR", help="the virtual environment (%(default)s)")
    parser.add_argument("--keys", default=KEYS, metavar="DIR", help="the services' folder of keys (%(default)s)")
    parser.add_argument("--root", type=Path, default=Path("/"), metavar="DIR", help="write below this folder")
    return parser


def _install(options: argparse.Namespace) -> list[Path]:
    """Write the files below ``--root``; returns their paths.

    Raises:
        FederaBenchError: a path cannot stand in a unit, or a file cannot be written.
    """
    units = unit_files(options.venv, keys=options.keys, groups=_groups_here(), reads=(sys.base_prefix,))
    texts = {**{f"{UNIT_FOLDER}/{name}": text for name, text in units.items()}, USER_FILE: user_file()}
    written = []
    for place, text in texts.items():
        path = options.root / place.lstrip("/")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_whole(path, text.encode())
            path.chmod(0o644)
        except OSError as error:
            raise not_written(str(path), error, "run it as root, or give --root") from None
        written.append(path)
    return written


def _groups_here() -> list[str]:
    """Those of the groups for the GPU that this machine has."""
    return [name for name in CUDA_GROUPS if name in {group.gr_name for group in grp.getgrall()}]


if __name__ == "__main__":
    sys.exit(main())
