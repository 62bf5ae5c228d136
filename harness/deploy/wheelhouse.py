"""A folder of wheels for devices without internet: all that an agent needs on them, and no torch."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from importlib import metadata
from pathlib import Path

from harness.deploy.package import pinned
from harness.deploy.requirements import EXTRA, TORCH, plain_name
from harness.errors import DeployError, UsageError, not_written

DISTRIBUTION = "federa-bench"
OLDEST_GLIBC, NEWEST_GLIBC = 17, 35
"""The minor versions of glibc 2 whose wheels fit: from manylinux2014 to Ubuntu 22.04, which JetPack 6 is made of."""
NUMPY_OF_JETPACK = "numpy>=1.26,<2"
"""NVIDIA's torch may be built against numpy 1, and Ubuntu's own numpy is too old: this one then fits both."""
_PYTHON = re.compile(r"3\.[0-9]{1,2}")
_MARKER = re.compile(r"python_version (?P<how><|>=) [\"']3\.(?P<minor>[0-9]+)[\"']")


def fill(folder: Path, python: str, machine: str) -> list[str]:
    """Fetch the wheels for a Python such as ``3.10`` and a machine such as ``aarch64``; returns what was wanted.

    Raises:
        UsageError: the Python is none.
        DeployError: one is not to be had.
    """
    if not _PYTHON.fullmatch(python):
        raise UsageError(f"{python!r} is no version of Python; write it like 3.10")
    pins = pins_for(pinned(), int(python.partition(".")[2]))
    wanted = [pins.get(name, name) for name in needed([DISTRIBUTION], requires_here) if name in pins or _version(name)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise not_written(str(folder), error, "give another --fill-wheelhouse") from None
    _fetch(folder, python, machine, wanted)
    if _is_jetson(python, machine):
        _fetch(folder, python, machine, [NUMPY_OF_JETPACK])
    return wanted


def _fetch(folder: Path, python: str, machine: str, wanted: Sequence[str]) -> None:
    platforms = [f"manylinux_2_{minor}_{machine}" for minor in range(OLDEST_GLIBC, NEWEST_GLIBC + 1)]
    options = [word for it in (f"manylinux2014_{machine}", *platforms) for word in ("--platform", it)]
    words = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "-d", str(folder)]
    done = subprocess.run(
        [*words, *options, "--python-version", python, *wanted], capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
        raise DeployError(f"the wheels for Python {python} on {machine} cannot be fetched: {last}")


def _is_jetson(python: str, machine: str) -> bool:
    return (python, machine) == ("3.10", "aarch64")


def needed(roots: Iterable[str], requires: Callable[[str], Sequence[str]]) -> list[str]:
    """The names of all packages that these need, the agent's extra included, but not torch, nor what it alone needs.

    ``requires`` gives a package's Requires-Dist.
    """
    own = {plain_name(root) for root in roots}
    found: set[str] = set()
    waiting = list(own)
    while waiting:
        name = waiting.pop()
        for requirement in requires(name):
            other = plain_name(requirement)
            if other in found or other in own or other == TORCH or not _counts(requirement, is_own=name in own):
                continue
            found.add(other)
            waiting.append(other)
    return sorted(found)


def _counts(requirement: str, *, is_own: bool) -> bool:
    """Whether a requirement is of the package itself, or of the agent's extra where the package is our own."""
    return "extra ==" not in requirement or (is_own and f"extra == '{EXTRA}'" in requirement.replace('"', "'"))


def pins_for(lines: Iterable[str], minor: int) -> dict[str, str]:
    """The pinned versions for Python 3.``minor`` by name: ``name==version`` without a marker."""
    pins = {}
    for line in lines:
        requirement, _, marker = (part.strip() for part in line.partition(";"))
        if not requirement or requirement.startswith("#"):
            continue
        holds = _MARKER.fullmatch(marker)
        if holds is None or (minor < int(holds["minor"])) == (holds["how"] == "<"):
            pins[plain_name(requirement)] = requirement
    return pins


def requires_here(name: str) -> Sequence[str]:
    """What an installed package needs; nothing is known of one that is not here, as one for another Python."""
    try:
        return metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        return []


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
