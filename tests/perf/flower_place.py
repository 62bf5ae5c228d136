"""The environment that Flower runs in: its own, since Flower and federa-bench want different versions of Ray."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path

import msgspec

VARIABLE = "FEDERA_BENCH_FLOWER"
"""Names an environment's folder that is there already."""
FLOWER = "1.41.0"
SAME = ("torch", "transformers", "peft", "safetensors")
"""Of these it has our versions: what is compared is to do the same work."""
TOLD = ("flwr", "ray", *SAME)
CACHE = Path(__file__).resolve().parent.parent.parent / ".perf" / "flower"
ASKS = """
import json
from importlib.metadata import PackageNotFoundError, version
found = {{}}
for name in {names}:
    try:
        found[name] = version(name)
    except PackageNotFoundError:
        pass
print(json.dumps(found))
"""


def python_of_flower(say: Callable[[str], None]) -> Path:
    """The Python of the environment: the one that the variable names, or one in .perf/flower, made where it is missing,
    half made, or has other versions than ours.

    Raises:
        RuntimeError: it has no Flower or other versions, or cannot be made (that needs the package index).
    """
    named = os.environ.get(VARIABLE)
    python = (Path(named) if named else CACHE) / "bin" / "python"
    if named:
        _see_right(python, {"flwr": None} | ours())
    else:
        wanted = {"flwr": FLOWER} | ours()
        if not python.exists() or wrong(_versions_or_none(python), wanted):
            _install(python, say)
        _see_right(python, wanted)
    _call([str(python), "-c", "import flwr, ray, torch, transformers, peft, safetensors"])
    return python


def ours() -> dict[str, str]:
    """Our versions of what both sides use, without what stands behind a "+": a build of one machine's, which an index
    may not have."""
    return {name: _without_build(version(name)) for name in SAME}


def wrong(found: Mapping[str, str], wanted: Mapping[str, str | None]) -> list[str]:
    """What is missing or another version than wanted (None: any), in words."""
    words = []
    for name, its in wanted.items():
        if name not in found:
            words.append(f"no {name}")
        elif its is not None and _without_build(found[name]) != its:
            words.append(f"{name} {found[name]}, not {its}")
    return words


def versions(python: Path) -> str:
    """What is compared with, in words."""
    found = _versions(python)
    return ", ".join(f"{name} {found[name]}" for name in TOLD if name in found)


def _install(python: Path, say: Callable[[str], None]) -> None:
    """Make the environment, or mend it: what is right in it already stays."""
    say(f"making an environment for Flower in {python.parent.parent}: minutes, the first time")
    _call([sys.executable, "-m", "venv", str(python.parent.parent)])
    same = [f"{name}=={its}" for name, its in ours().items()]
    _call([str(python), "-m", "pip", "install", "--quiet", f"flwr[simulation]=={FLOWER}", *same])


def _see_right(python: Path, wanted: Mapping[str, str | None]) -> None:
    if words := wrong(_versions(python), wanted):
        raise RuntimeError(
            f"the environment for Flower in {python.parent.parent} has {'; '.join(words)}; name another in {VARIABLE}"
        )


def _versions_or_none(python: Path) -> dict[str, str]:
    """As below; none of an environment whose Python does not run."""
    try:
        return _versions(python)
    except RuntimeError:
        return {}


def _versions(python: Path) -> dict[str, str]:
    """The versions of what an environment has of all that is told of it."""
    said = _call([str(python), "-c", ASKS.format(names=TOLD)])
    try:
        return msgspec.json.decode(said, type=dict[str, str])
    except msgspec.DecodeError:
        raise RuntimeError(f"no environment for Flower: {python} tells no versions; name one in {VARIABLE}") from None


def _without_build(its: str) -> str:
    return its.partition("+")[0]


def _call(command: list[str]) -> str:
    """What a program prints.

    Raises:
        RuntimeError: it is not there, or it failed.
    """
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError as error:
        raise RuntimeError(
            f"no environment for Flower: {command[0]}: {error.strerror}; name one in {VARIABLE}"
        ) from None
    if done.returncode != 0:
        why = (done.stderr.strip().splitlines() or ["it failed"])[-1]
        what = " ".join(command[:2] if command[1] == "-c" else command[:4])
        raise RuntimeError(f"no environment for Flower: {what}: {why}; name one in {VARIABLE}")
    return done.stdout
