"""The command of the helper: who may not, and what it says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from link_ends import CABLE
from shaping_stage import Machines, flow

COMMAND = (sys.executable, "-m", "harness.shaper_command")


def said(*words: str, before: tuple[str, ...] = ()) -> tuple[int, str]:
    done = subprocess.run([*before, *COMMAND, *words], capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


def test_without_the_capability_it_does_not_begin(tmp_path: Path) -> None:
    bare = ("setpriv", "--bounding-set", "-all", "--inh-caps", "-all")
    if subprocess.run([*bare, "true"], capture_output=True, check=False).returncode:
        bare = ()
    code, words = said("--socket", str(tmp_path / "s"), before=bare)
    assert code == 1
    assert "only root, or a process with CAP_NET_ADMIN" in words


def test_a_group_that_is_not_there_is_named(tmp_path: Path) -> None:
    code, words = said("--socket", str(tmp_path / "s"), "--group", "no-such-group")
    assert code == 2
    assert "there is no group 'no-such-group'" in words


def test_clean_removes_what_was_left(tmp_path: Path) -> None:
    with Machines(tmp_path) as machines:
        helper = machines.helper("agent")
        with machines.shaper("agent") as shaper:
            shaper.shape(flow("agent"))
            helper.kill()
            helper.wait()
        cleaned = machines.start("agent", *COMMAND, "--clean", stderr=subprocess.PIPE)
        _, words = cleaned.communicate()
        assert cleaned.returncode == 0
        assert f"left on {CABLE}" in words
        assert "fedb" not in machines.run("agent", "tc", "qdisc")


@pytest.mark.parametrize("option", ["--help"])
def test_help_names_the_capability(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = subprocess.run([*COMMAND, option], capture_output=True, text=True, check=False)
    assert code.returncode == 0
    assert "CAP_NET_ADMIN" in code.stdout
