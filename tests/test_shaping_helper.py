"""The helper's life: flows end with their client and with the helper; what a killed one left goes at the next start."""

from __future__ import annotations

import grp
import os
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from link_ends import CABLE, CONTROLLER
from shaping_stage import Machines, flow

from harness.errors import ShapingError
from harness.profiles import RateProfile
from harness.shaping import Shaper

CHECK = """
import sys
from harness.shaping import Shaper
print(Shaper.connect(sys.argv[1]).check(sys.argv[2]))
"""
LOOKS = 2000
"""More than enough for several steps of a trace."""
CLIENT = """
import sys
from shaping_stage import flow
from harness.shaping import Shaper
shaper = Shaper.connect(sys.argv[1])
shaper.shape(flow("agent"))
print("shaped", flush=True)
sys.stdin.read()
"""


def cleared(machines: Machines) -> bool:
    return "fedb" not in machines.run("agent", "tc", "qdisc", "show", "dev", CABLE)


def test_a_client_that_is_killed_takes_its_flows_with_it(tmp_path: Path) -> None:
    with Machines(tmp_path) as machines:
        machines.helper("agent")
        tests = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
        client = machines.start("agent", sys.executable, "-c", CLIENT, str(machines.socket("agent")), env=tests)
        assert client.stdout is not None
        assert client.stdout.readline() == "shaped\n"
        assert not cleared(machines)
        client.kill()
        client.wait()
        with machines.shaper("agent") as other:
            other.check(CONTROLLER)  # it is served after the one that died
        assert cleared(machines)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_at_its_end_nothing_is_left(tmp_path: Path, number: signal.Signals) -> None:
    with Machines(tmp_path) as machines:
        helper = machines.helper("agent")
        with machines.shaper("agent") as shaper:
            shaper.shape(flow("agent"))
            helper.send_signal(number)
            assert helper.wait() == 0
            assert cleared(machines)
            assert not machines.socket("agent").exists()
            assert shaper.lost()
            with pytest.raises(ShapingError, match="helper for kernel shaping"):
                shaper.counted(flow("agent"))


def test_what_a_killed_helper_left_goes_at_the_next_start(tmp_path: Path) -> None:
    with Machines(tmp_path) as machines:
        helper = machines.helper("agent")
        with machines.shaper("agent") as shaper:
            shaper.shape(flow("agent"))
            helper.kill()
            helper.wait()
        assert not cleared(machines)
        machines.started("agent")
        assert cleared(machines)


def test_the_capability_alone_is_enough() -> None:
    nobody = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")
    capable = [word for kind in ("inh", "ambient") for word in (f"--{kind}-caps", "-all,+net_admin")]
    with tempfile.TemporaryDirectory() as folder, Machines(Path(folder)) as machines:
        Path(folder).chmod(0o777)
        if subprocess.run([*nobody, sys.executable, "-c", "import harness"], check=False).returncode:
            pytest.skip("another user may not read this checkout")
        machines.helper("agent", *nobody, *capable, "--bounding-set", "-all,+net_admin")
        with machines.shaper("agent") as shaper:
            shaper.shape(flow("agent"))
            shaper.counted(flow("agent"))
        with machines.shaper("agent") as shaper:
            shaper.check(CONTROLLER)
        assert cleared(machines)


@pytest.mark.parametrize(("beside", "said"), [(0, CABLE), (1, "add it to the group of that socket")])
def test_its_group_may_ask_and_nobody_else(beside: int, said: str) -> None:
    group = next(group for group in grp.getgrall() if 0 < group.gr_gid < 65000)
    as_client = ("setpriv", "--reuid", "65534", "--regid", "65534", "--groups", str(group.gr_gid + beside))
    with tempfile.TemporaryDirectory() as folder, Machines(Path(folder)) as machines:
        Path(folder).chmod(0o755)
        if subprocess.run([*as_client, sys.executable, "-c", "import harness"], check=False).returncode:
            pytest.skip("another user may not read this checkout")
        machines.started("agent", options=("--group", group.gr_name))
        words = (*as_client, sys.executable, "-c", CHECK, str(machines.socket("agent")), CONTROLLER)
        client = machines.start("agent", *words, stderr=subprocess.STDOUT)
        assert said in client.communicate()[0]


def test_a_client_that_asks_nonsense_harms_nobody(tmp_path: Path) -> None:
    with Machines(tmp_path) as machines:
        machines.helper("agent")
        with machines.shaper("agent") as good, socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as bad:
            good.shape(flow("agent"))
            bad.connect(str(machines.socket("agent")))
            for nonsense in (b"\x00", os.urandom(2000), b"\x81\xa4type\xa5shape", b"x" * 150_000):
                bad.send(nonsense)
                assert b"refused" in bad.recv(10_000)
            good.counted(flow("agent"))


def test_a_flow_of_another_client_is_out_of_reach(tmp_path: Path) -> None:
    with Machines(tmp_path) as machines:
        machines.helper("agent")
        with machines.shaper("agent") as first, machines.shaper("agent") as second:
            first.shape(flow("agent"))
            with pytest.raises(ShapingError, match="nothing is shaped to"):
                second.release(flow("agent"))
            with pytest.raises(ShapingError, match="another process shapes"):
                second.shape(flow("agent"))
            first.counted(flow("agent"))


def test_a_rate_follows_its_trace(tmp_path: Path) -> None:
    rates = RateProfile(rates_mbps=(10, 40), step_s=0.1)
    with Machines(tmp_path) as machines:
        machines.helper("agent")
        with machines.shaper("agent") as shaper:
            shaper.shape(flow("agent", rate=rates))
            seen = set()
            for _ in range(LOOKS):
                seen.add(rate_shown(machines))
                if len(seen) > 1:
                    break
            assert seen == {"10455Kbit", "41823Kbit"}


def rate_shown(machines: Machines) -> str:
    return machines.classes("agent").partition("class htb fedb:10 ")[2].partition("rate ")[2].split()[0]


def test_no_second_helper_serves_one_socket(tmp_path: Path) -> None:
    with Machines(tmp_path) as machines:
        machines.helper("agent")
        words = (sys.executable, "-m", "harness.shaper_command", "--socket", str(machines.socket("agent")))
        second = machines.start("agent", *words, stderr=-1)
        _, said = second.communicate()
        assert second.returncode == 2
        assert "a helper runs at" in said
        Shaper.connect(machines.socket("agent")).close()
