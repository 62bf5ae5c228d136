"""Packages of this machine that stand in for a device's: those of its own Python, and wheels to be sent there."""

from __future__ import annotations

import platform
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from harness.deploy.wheelhouse import fill, needed, requires_here
from harness.errors import DeployError

BROUGHT_ALONG = ("torch", "numpy")
LARGE = ("transformers", "peft", "accelerate")
"""Thousands of files that no round of the null trainer uses, and that each release compiles."""


def jetpack_packages() -> list[str]:
    """What torch and what it needs consist of: names of files and folders where this Python keeps its packages."""
    found: set[str] = set()
    for name in (*BROUGHT_ALONG, *needed(BROUGHT_ALONG, requires_here)):
        try:
            files = metadata.distribution(name).files or []
        except metadata.PackageNotFoundError:
            continue  # one for another system
        found |= {str(path).partition("/")[0] for path in files}
    return sorted(found - {"..", "__pycache__"})


def wheelhouse(folder: Path) -> Path:
    """A folder with the wheels of everything that an agent needs and a Jetson does not bring.

    The large ones keep what they say of themselves, so that pip has all of its work but that of copying: their code is
    left out. Skips the test where the wheels are not to be had.
    """
    try:
        fill(folder, f"{sys.version_info.major}.{sys.version_info.minor}", platform.machine())
    except DeployError as error:
        pytest.skip(str(error))
    for name in LARGE:
        (wheel,) = folder.glob(f"{name}-*.whl")
        _hollow(wheel, name)
    return folder


def _hollow(wheel: Path, name: str) -> None:
    """Leave a wheel its metadata and an empty package."""
    with zipfile.ZipFile(wheel) as whole:
        kept = {path: whole.read(path) for path in whole.namelist() if ".dist-info/" in path}
    (record,) = (path for path in kept if path.endswith(".dist-info/RECORD"))
    kept[f"{name}/__init__.py"] = b""
    kept[record] = "".join(f"{path},,\n" for path in kept).encode()
    with zipfile.ZipFile(wheel, "w") as hollow:
        for path, data in kept.items():
            hollow.writestr(path, data)
