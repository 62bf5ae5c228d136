"""The commands of the documents: which experiment one is about, what it overrides, and what make makes of it."""

from __future__ import annotations

import os
import shlex
import subprocess
from itertools import pairwise
from pathlib import Path

from harness.library import PARTS

ROOT = Path(__file__).parent.parent
MAKE_VARIABLES = (
    *("MAKEFLAGS", "MFLAGS", "MAKELEVEL"),
    *("PROFILE", "METHOD", "METHODS", "SEED", "SEEDS", "LRS", "DATA", "MODELS", "ROUNDS", "OUT", "FLEET", "RAY", "SET"),
)


def profile_of(command: str) -> tuple[str, list[str]]:
    """The experiment of a command and its overrides, from any form of the command; a retiming's is the default."""
    words = shlex.split(command)
    if words[0] == "make":
        variables = dict(word.partition("=")[::2] for word in words[2:])
        fleet = [f"fleet={variables['FLEET']}"] if "FLEET" in variables else []
        return variables.get("PROFILE", "quickstart"), [*fleet, *variables.get("SET", "").split()]
    assert words[0] == "federa-bench", command
    options = dict(pairwise(words))
    if words[1] == "retime":
        parts = [f"{part}={options[f'--{part}']}" for part in PARTS if f"--{part}" in options]
        return "quickstart", ["fleet=virtual", *parts]
    fleet = [f"fleet={options['--fleet']}"] if "--fleet" in options else []
    return words[2], [*fleet, *(words[at + 1] for at, word in enumerate(words) if word == "--set")]


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Make as one who typed it sees it: without its variables, or what an outer make left, in the environment."""
    plain = {name: value for name, value in os.environ.items() if name not in MAKE_VARIABLES}
    return subprocess.run(["make", *arguments], cwd=ROOT, capture_output=True, text=True, env=plain, check=False)
