"""A tc that fails half-way, and paths that are not what they should be: nothing is left, and nothing is harmed."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from link_ends import CABLE
from shaping_stage import Machines, until

from harness.errors import UsageError
from harness.shaping.helper import listen
from harness.shaping.keeper import Keeper
from harness.shaping.reading import Root
from harness.shaping.tc import Tc, TcError

FAILING = """#!/bin/sh
if [ -e {folder}/broken ]; then
  case "$*" in {pattern}) echo "RTNETLINK answers: Made to fail" >&2; exit 2;; esac
fi
exec {tc} "$@"
"""


@pytest.mark.parametrize("pattern", ["*u32*", "*tbf*", "*'class show'*", "*'qdisc del'*", "*'filter show'*"])
def test_a_tc_that_fails_half_way_leaves_nothing_once_it_works(tmp_path: Path, pattern: str) -> None:
    tc = shutil.which("tc")
    assert tc is not None
    failing, broken = tmp_path / "places" / "tc", tmp_path / "broken"
    failing.parent.mkdir()
    failing.write_text(FAILING.format(folder=tmp_path, pattern=pattern, tc=tc))
    failing.chmod(0o755)
    with Machines(tmp_path) as machines:
        inside = f"""
from pathlib import Path
from shaping_stage import flow
from harness.shaping.keeper import Keeper
from harness.shaping.tc import PLACES, Tc, TcError
keeper = Keeper(Tc({str(failing.parent)!r} + ":" + PLACES), lambda: 0.0)
broken = Path({str(broken)!r})
broken.touch()
try:
    keeper.shape(1, flow("agent"))
    keeper.release_all(1)
except TcError as error:
    print("refused", error)
broken.unlink()
keeper.shape(1, flow("agent"))
keeper.shape(2, flow("agent", port=7777))
broken.touch()
keeper.release_all(2)
broken.unlink()
keeper.shape(2, flow("agent", port=7777))
keeper.counted(1, flow("agent").key)
keeper.release_all(1)
keeper.release_all(2)
print("done")
"""
        tests = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
        told = machines.start("agent", sys.executable, "-c", inside, env=tests, stderr=subprocess.STDOUT)
        assert told.communicate()[0].endswith("done\n")
        assert "fedb" not in machines.run("agent", "tc", "qdisc", "show", "dev", CABLE)


def test_one_interface_that_stays_does_not_keep_the_others() -> None:
    class Stubborn(Tc):
        def __init__(self) -> None:
            self.left = ["a", "b", "c"]

        def roots(self) -> list[Root]:
            return [Root(name, "htb", "fedb:", "1") for name in self.left]

        def do(self, command: tuple[str, ...]) -> None:
            if "a" in command:
                raise TcError("it is gone")
            self.left.remove(command[3])

    tc = Stubborn()
    with pytest.raises(TcError, match="it is gone"):
        Keeper(tc, lambda: 0.0).sweep()
    assert tc.left == ["a"]


def test_a_file_in_the_sockets_place_stays(tmp_path: Path) -> None:
    place = tmp_path / "shaper.sock"
    place.write_text("precious")
    with pytest.raises(UsageError, match="is no socket; move it away"):
        listen(str(place), lambda: None)
    assert place.read_text() == "precious"
    link = tmp_path / "link"
    link.symlink_to(place)
    with pytest.raises(UsageError, match="is no socket"):
        listen(str(link), lambda: None)
    with pytest.raises(UsageError, match="is no socket"):
        listen(str(tmp_path), lambda: None)


def test_the_lock_is_its_owners_alone_and_no_link_is_followed(tmp_path: Path) -> None:
    with Machines(tmp_path) as machines:
        machines.started("agent")
        lock = tmp_path / "agent.sock.lock"
        assert stat.S_IMODE(lock.stat().st_mode) == 0o600
        assert stat.S_IMODE(machines.socket("agent").stat().st_mode) == 0o600
        precious = tmp_path / "precious"
        precious.write_text("precious")
        (tmp_path / "other.sock.lock").symlink_to(precious)
        words = ("-m", "harness.shaper_command", "--socket", str(tmp_path / "other.sock"))
        second = machines.start("agent", sys.executable, *words, stderr=subprocess.PIPE)
        assert "cannot be used" in until(second.stderr, "cannot be used")
        assert second.wait() == 1
        assert precious.read_text() == "precious"
