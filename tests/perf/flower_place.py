"""The environment that Flower runs in: its own, since Flower and federa-bench want different versions of Ray."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

VARIABLE = "FEDERA_BENCH_FLOWER"
"""Names an environment's folder that is there already."""
FLOWER = "flwr[simulation]==1.41.0"
SAME = ("torch", "transformers", "peft", "safetensors")
"""Of these it has our versions: what is compared is to do the same work."""
CACHE = Path(__file__).resolve().parent.parent.parent / ".perf" / "flower"


def python_of_flower(say: Callable[[str], None]) -> Path:
    """The Python of the environment: the one that the variable names, or one in .perf/flower, made the first time.

    Raises:
        RuntimeError: it has no Flower, or cannot be made (that needs the package index).
    """
    named = os.environ.get(VARIABLE)
    python = (Path(named) if named else CACHE) / "bin" / "python"
    if not named and not python.exists():
        say(f"making an environment for Flower in {CACHE}: minutes, the first time")
        _call([sys.executable, "-m", "venv", str(CACHE)])
        _call([str(python), "-m", "pip", "install", "--quiet", FLOWER, *map(_ours, SAME)])
    _call([str(python), "-c", "import flwr, ray, torch, transformers, peft, safetensors"])
    return python


def versions(python: Path) -> str:
    """What is compared with, in words."""
    words = ", ".join(f"'{name} ' + version('{name}')" for name in ("flwr", "ray", "torch"))
    code = f"from importlib.metadata import version; print({words}, sep=', ')"
    return subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def _ours(package: str) -> str:
    """Without what stands behind a "+": a build of one machine's, which an index may not have."""
    return f"{package}=={version(package).partition('+')[0]}"


def _call(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError as error:
        raise RuntimeError(
            f"no environment for Flower: {command[0]}: {error.strerror}; name one in {VARIABLE}"
        ) from None
    if done.returncode != 0:
        why = (done.stderr.strip().splitlines() or ["it failed"])[-1]
        raise RuntimeError(f"no environment for Flower: {' '.join(command[:4])}: {why}; name one in {VARIABLE}")
