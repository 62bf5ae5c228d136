"""A few lines of C between a program and its system: compiled by the system's compiler, loaded before its library."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest


def compiled(source: str, library: Path) -> Path:
    """The shared library of some C source; the test is skipped where there is no compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler (cc) here to make a library to preload")
    code = library.with_suffix(".c")
    code.write_text(source)
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", library, code, "-ldl"], check=True)
    return library


def environment(library: Path, **settings: str) -> dict[str, str]:
    """This process' environment, for a child that is to load ``library`` first."""
    return {**os.environ, "LD_PRELOAD": str(library), **settings}
