"""What a run ran on: recorded beside its numbers, because seconds mean nothing without it."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

PACKAGES = ("torch", "transformers", "peft", "safetensors", "numpy", "msgspec", "pyzmq")
REPOSITORY = Path(__file__).parent.parent
GIT_PATIENCE_S = 5.0
SHARE_VARIABLE = "FEDERA_BENCH_CORES"
"""Set for runs that share a machine: how many of its cores each of them has."""


def describe() -> dict[str, Any]:
    """Machine, system, versions and load, ready for JSON; what cannot be told is null. Imports none of the packages."""
    return {
        "federa_bench": _version("federa-bench"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "kernel": platform.release(),
        "machine": platform.machine(),
        "cpu": cpu_model(Path("/proc/cpuinfo")),
        "cores": cores(),
        "memory_bytes": psutil.virtual_memory().total,
        "load_average_1m": os.getloadavg()[0],
        "container": container(Path("/")),
        "packages": {name: _version(name) for name in PACKAGES},
        **git_state(REPOSITORY),
    }


def cores() -> int:
    """Processor cores that this process may use: fewer than the machine has, in a container or under taskset."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def share() -> int:
    """Cores that this process may keep busy: all that it may use, or what SHARE_VARIABLE says, if that is less."""
    said = os.environ.get(SHARE_VARIABLE, "")
    return min(cores(), int(said)) if said.isdecimal() and int(said) > 0 else cores()


def cpu_model(cpuinfo: Path) -> str | None:
    """The processor's name from a cpuinfo file: "model name", or the board's "Model" on ARM."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or None
    fields: dict[str, str] = {}
    for key, colon, value in (line.partition(":") for line in lines):
        if colon:
            fields.setdefault(key.strip(), value.strip())
    return fields.get("model name") or fields.get("Model") or platform.processor() or None


def container(root: Path) -> str | None:
    """The kind of container this runs in, as far as it leaves a trace below ``root``; null: none seen."""
    if (root / ".dockerenv").exists():
        return "docker"
    if (root / "run/.containerenv").exists():
        return "podman"
    return None


def git_state(repository: Path) -> dict[str, Any]:
    """``git_commit`` and ``git_dirty`` of a checkout; both null where it is none, or git is not there."""
    commit = _git(repository, "rev-parse", "HEAD") if (repository / ".git").exists() else None
    changes = _git(repository, "status", "--porcelain") if commit else None
    return {"git_commit": commit, "git_dirty": None if changes is None else changes != ""}


def _git(repository: Path, *arguments: str) -> str | None:
    command = ["git", "-C", str(repository), *arguments]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=GIT_PATIENCE_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def oversubscription(agents: int, threads: int, cores: int) -> str | None:
    """A warning where the trainers of this machine want more threads than it has cores; null where they fit."""
    if agents * threads <= cores:
        return None
    fitting = max(1, cores // threads)
    return (
        f"{_counted(agents, 'agent')} of {_counted(threads, 'thread')} share {_counted(cores, 'core')}: they slow each "
        f"other down, so train_s is longer than on devices of their own; use at most {_counted(fitting, 'agent')} for "
        "times to compare"
    )


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
