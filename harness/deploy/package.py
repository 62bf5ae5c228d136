"""What is sent to devices: a wheel of the project, built here once, a pip to install it with, what it needs, and the
units of systemd that the wheel brings.
"""

from __future__ import annotations

import email
import importlib.util
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

import harness
from harness.deploy import places
from harness.errors import DeployError, UsageError

TREE = Path(harness.__file__).parent.parent
ASK = """
import json, sys
wheel, venv, keys, groups, reads, connect, *options = sys.argv[1:]
sys.path.insert(0, wheel)
from agents.systemd import UNIT_FOLDER, USER_FILE, environment_file, unit_files, user_file
from agents.systemd.units import ENVIRONMENT_FILE
units = unit_files(venv, keys=keys, groups=groups.split(), reads=reads.split())
files = {UNIT_FOLDER + "/" + name: text for name, text in units.items()}
files[USER_FILE] = user_file()
files[ENVIRONMENT_FILE] = environment_file(connect, options)
json.dump(files, sys.stdout)
"""
"""Asks the very wheel that is sent for its units, in a Python of its own."""


@dataclass(frozen=True)
class Package:
    """A wheel and what stands beside it."""

    wheel: Path
    requires: tuple[str, ...]
    """The values of its Requires-Dist."""
    pinned: tuple[str, ...]
    """The lines of constraints.txt."""
    pip: Path | None
    """A wheel of pip, for devices that have none."""
    wheelhouse: Path | None


def built(folder: Path, wheel: Path | None, wheelhouse: Path | None) -> Package:
    """The package to send; the wheel is built into ``folder`` unless it is given.

    Raises:
        UsageError: there is nothing to build it of, or a path leads nowhere.
        DeployError: the build failed.
    """
    if wheelhouse is not None and not any(wheelhouse.glob("*.whl")):
        raise UsageError(f"--wheelhouse {wheelhouse} holds no wheels; fill it as docs/deploy.md says")
    found = _given(wheel) if wheel else _build(folder)
    return Package(found, requires(found), pinned(), _pip(wheelhouse), wheelhouse)


def requires(wheel: Path) -> tuple[str, ...]:
    """The values of Requires-Dist in a wheel's metadata.

    Raises:
        UsageError: it is no wheel.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            (name,) = (it for it in archive.namelist() if it.endswith(".dist-info/METADATA"))
            message = email.message_from_bytes(archive.read(name))
    except (OSError, ValueError, zipfile.BadZipFile):
        raise UsageError(f"{wheel} is no wheel that can be read; give another --wheel") from None
    return tuple(str(value) for value in message.get_all("Requires-Dist", []))


def _given(wheel: Path) -> Path:
    if not wheel.is_file():
        raise UsageError(f"--wheel {wheel} is not there")
    return wheel


def _build(folder: Path) -> Path:
    if not (TREE / "pyproject.toml").is_file():
        raise UsageError("federa-bench was installed without its sources here; give the wheel that it came as: --wheel")
    # a build in an environment of its own fetches the build's tools; where they are here already, they are used
    isolation = ["--no-build-isolation"] if importlib.util.find_spec("hatchling") else []
    words = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", *isolation, "-w", str(folder), str(TREE)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    found = sorted(folder.glob("federa_bench-*.whl"))
    if done.returncode or not found:
        last = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
        raise DeployError(f"the wheel of {TREE} could not be built: {last}")
    return found[-1]


def pinned() -> tuple[str, ...]:
    """The lines of constraints.txt; none where the sources are not here."""
    constraints = TREE / "constraints.txt"
    return tuple(constraints.read_text(encoding="utf-8").splitlines()) if constraints.is_file() else ()


def _pip(wheelhouse: Path | None) -> Path | None:
    """A wheel of pip: that of the wheelhouse, else the one which this Python brings along for its own environments."""
    spec = importlib.util.find_spec("ensurepip")
    bundled = Path(spec.origin).parent / "_bundled" if spec and spec.origin else None
    for folder in (wheelhouse, bundled, Path("/usr/share/python-wheels")):
        if folder is not None and (found := sorted(folder.glob("pip-*.whl"))):
            return found[-1]
    return None


def unit_files(
    wheel: Path, groups: Sequence[str], python_folder: str, connect: str, options: Sequence[str]
) -> dict[str, str]:
    """The text of each unit, of the file that makes their user, and of the agent's environment, by path on the device.

    ``groups`` are those for the GPU that the device has, ``python_folder`` is where its interpreter is installed.

    Raises:
        DeployError: the wheel does not bring them, or they want something that cannot stand in a unit.
    """
    asked = (str(wheel), places.CURRENT, places.KEYS, " ".join(groups), python_folder, connect, *options)
    done = subprocess.run([sys.executable, "-B", "-c", ASK, *asked], capture_output=True, text=True, check=False)
    try:
        files = msgspec.json.decode(done.stdout, type=dict[str, str])
    except msgspec.DecodeError:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise DeployError(f"{wheel} does not tell its units: {last}; build it of this version of the sources") from None
    missing = {*places.FILES, places.ENVIRONMENT} - set(files)
    if missing:
        raise DeployError(f"{wheel} lacks {', '.join(sorted(missing))}; build it of this version of the sources")
    return files
