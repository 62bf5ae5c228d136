"""Versions of Python and of packages, from their metadata: nothing of it is imported here."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path

from harness.doctor.facts import Accelerator, Board, Role, Software, Wanted
from harness.doctor.reading.place import Place, read_text
from harness.environment import container, cpu_model
from harness.sensors.board import MODEL, RELEASE

DISTRIBUTION = "federa-bench"
REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)[^;>=]*(?:>=([0-9.]+))?[^;]*(?:; extra == '([a-z]+)')?")
ALSO = ("jetson-stats",)
NODES = ("dev/nvmap", "dev/nvhost-ctrl-gpu", "dev/nvgpu/igpu0/ctrl", "dev/nvidiactl", "dev/nvidia0")
"""Device files without which CUDA finds no GPU: those of JetPack 5, of 6, and of a discrete card."""
IMPORT_S = 60.0
IMPORT = "import torch; c = torch.cuda; print('cuda ' + c.get_device_name(0) if c.is_available() else 'no cuda')"


def software(place: Place) -> Software:
    """Python and packages."""
    wanted = wanted_by(place.role, requires(DISTRIBUTION) or [])
    names = [DISTRIBUTION, *(one.name for one in wanted), *ALSO]
    return Software(
        role=place.role,
        python=platform.python_version(),
        wanted=wanted,
        installed={name: installed_version(name) for name in names},
    )


def wanted_by(role: Role, requirements: list[str]) -> tuple[Wanted, ...]:
    """What the distribution's own metadata wants, for all and for this role's extra."""
    found = [match for one in requirements if (match := REQUIREMENT.fullmatch(one))]
    return tuple(
        Wanted(name=one[1], least=one[2]) for one in found if one[3] in (None, role) and one[1] != DISTRIBUTION
    )


def installed_version(name: str) -> str | None:
    """The version of a distribution; None: it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def board(place: Place) -> Board:
    """What kind of machine this is."""
    return Board(
        model=place.text(MODEL) or (cpu_model(place.root / "proc/cpuinfo") if place.live else None),
        l4t=l4t_of(place.text(RELEASE)),
        machine=platform.machine(),
        container=container(place.root),
    )


def l4t_of(release: str | None) -> str | None:
    """The release of Jetson Linux: "36.4.3" of "# R36 (release), REVISION: 4.3, GCID: ..."."""
    found = re.search(r"R(\d+) \(release\), REVISION: ([\d.]+)", release or "")
    return f"{found[1]}.{found[2]}" if found else None


def accelerator(place: Place) -> Accelerator:
    """torch and the GPU's device files; torch is imported in a child process, and only where it is asked for."""
    nodes = [node for node in NODES if (place.root / node).exists()]
    closed = [node for node in nodes if not os.access(place.root / node, os.R_OK | os.W_OK)]
    found = find_spec("torch")
    return Accelerator(
        jetson=board(place).jetson,
        torch=installed_version("torch") if found else None,
        built_for=built_for(found.origin if found else None),
        nodes=tuple(f"/{node}" for node in nodes),
        closed=tuple(f"/{node}" for node in closed),
        tried=_tried() if place.import_torch and found else None,
    )


def built_for(origin: str | None) -> str | None:
    """The CUDA that a torch was built for, as the file beside its ``__init__`` says; None: for none."""
    text = read_text(Path(origin).with_name("version.py")) if origin else None
    found = re.search(r"^cuda(?:\s*:[^=]*)?\s*=\s*['\"]([\d.]+)['\"]", text or "", re.MULTILINE)
    return found[1] if found else None


def _tried() -> str:
    try:
        ended = subprocess.run(
            [sys.executable, "-c", IMPORT],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=IMPORT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{type(error).__name__}"
    said = ended.stdout if ended.returncode == 0 else ended.stderr
    return (said.strip().splitlines() or ["it said nothing"])[-1]
