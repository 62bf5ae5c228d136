"""The script for the device finds facts, here as there, and what it prints is read strictly."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

from harness.deploy.asking import script
from harness.deploy.facts import MARK, read
from harness.errors import DeployError


def test_this_machine_is_read_as_it_is() -> None:
    done = subprocess.run([sys.executable, "-B", "-"], input=script(), capture_output=True, text=True, check=True)
    facts = read(f"Welcome to Ubuntu\n{done.stdout}", "here")
    assert facts.python_version == sys.version_info[:3]
    assert facts.machine == platform.machine()
    assert facts.uid == os.geteuid()
    assert facts.torch.version
    assert facts.installed.places == ()
    assert facts.free_bytes > 0


def test_the_script_is_one_that_an_older_python_reads_too() -> None:
    """So that a board with JetPack 5 is told that its Python is too old, and not that there is an error in line 41."""
    import ast

    ast.parse(script(), feature_version=(3, 7))


@pytest.mark.parametrize("output", ["", "Welcome", f"{MARK}{{}}", f"{MARK}[", f'{MARK}{{"user": 5}}'])
def test_an_answer_without_facts_is_an_error(output: str) -> None:
    with pytest.raises(DeployError, match="orin-01: "):
        read(output, "orin-01")
