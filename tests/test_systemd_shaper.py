"""The helper under a real systemd of the test's own: it shapes for its group, with one capability and no more."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from systemd_stage import ENVIRONMENT, VENV, SystemdStage, skip_unless_permitted

from agents.systemd import SHAPER_UNIT, USER_FILE, unit_files, user_file

PEER = "10.7.0.2"
WORDS = " ".join(f"{name}={value}" for name, value in ENVIRONMENT.items())
STATE = ("ActiveState", "MainPID", "NRestarts", "Result", "ExecMainStatus")
SHAPE = f"""
import sys, time
from harness.profiles import RateProfile
from harness.shaping import SOCKET, Flow, Shaper
shaper = Shaper.connect(SOCKET)
flow = Flow(peer="{PEER}", port=5555, beat_port=5556, at="agent", rate=RateProfile(rate_mbps=25), seed=1)
print(shaper.shape(flow).interface)
print(shaper.counted(flow).dropped)
sys.stdout.flush()
sys.stdin.read()
"""


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[SystemdStage]:
    """A systemd with the helper's unit installed, and a cable to a peer."""
    skip_unless_permitted(tmp_path / "probe")
    (tmp_path / "stage").mkdir()
    with SystemdStage(tmp_path / "stage", unit_files(VENV), {USER_FILE.removeprefix("/etc/"): user_file()}) as stage:
        stage.drop_in(SHAPER_UNIT, f"[Service]\nEnvironment={WORDS}\nRestartSec=0\n")
        stage.run("ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1")
        stage.run("ip", "address", "add", "10.7.0.1/24", "dev", "v0")
        for end in ("v0", "v1"):
            stage.run("ip", "link", "set", end, "up")
        yield stage


def as_user(stage: SystemdStage, user: str, group: str, script: str) -> str:
    """Run Python inside as somebody; returns what it printed, on either stream."""
    who = f"setpriv --reuid {user} --regid {group} --clear-groups env {WORDS} {VENV}/bin/python"
    return stage.run("sh", "-c", f'{who} -c "$0" </dev/null 2>&1', script, check=False)


def listens(stage: SystemdStage) -> None:
    """Start the helper, and wait until it says that it listens."""
    stage.systemctl("start", SHAPER_UNIT)
    stage.until(SHAPER_UNIT, lambda _: "listens at" in stage.log(SHAPER_UNIT), *STATE)


def classes(stage: SystemdStage) -> list[str]:
    """The rates of the classes on the cable, as tc writes them."""
    return re.findall(r"rate (\S+) ceil", stage.run("tc", "class", "show", "dev", "v0"))


def test_a_member_of_the_group_gets_its_link_shaped_as_long_as_it_lives(stage: SystemdStage) -> None:
    listens(stage)
    held = SHAPE.replace("sys.stdin.read()", 'import subprocess; print(subprocess.getoutput("tc class show dev v0"))')
    said = as_user(stage, "federa-bench", "federa-bench", held)
    assert said.splitlines()[:2] == ["v0", "0"]
    assert re.search(r"rate 26\d*(?:\.\d+)?[MK]bit ceil", said), said
    stage.until(SHAPER_UNIT, lambda _: classes(stage) == [], *STATE)


def test_who_is_not_in_the_group_does_not_even_reach_the_socket(stage: SystemdStage) -> None:
    listens(stage)
    assert "this user may not use" in as_user(stage, "nobody", "nogroup", SHAPE)


def test_the_helper_has_one_capability_and_is_not_root(stage: SystemdStage) -> None:
    listens(stage)
    status = stage.run("cat", f"/proc/{stage.show(SHAPER_UNIT, 'MainPID')['MainPID']}/status")
    assert set(re.findall(r"^Cap\w+:\t0*(\w+)$", status, re.M)) == {"1000"}, "CAP_NET_ADMIN"
    assert re.findall(r"^Uid:\t(\d+)", status, re.M) != ["0"]
    assert re.findall(r"^(NoNewPrivs|Seccomp):\t(\d)", status, re.M) == [("NoNewPrivs", "1"), ("Seccomp", "2")]


def test_a_killed_helper_comes_back_and_leaves_nothing_behind(stage: SystemdStage) -> None:
    listens(stage)
    held = stage.enter("env", *WORDS.split(), f"{VENV}/bin/python", "-c", SHAPE)
    with subprocess.Popen(held, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as client:
        assert client.stdout is not None
        assert client.stdout.readline() == b"v0\n"
        assert classes(stage)
        before = stage.show(SHAPER_UNIT, *STATE)
        os.kill(stage.outside(before["MainPID"]), signal.SIGKILL)
        stage.until(SHAPER_UNIT, lambda now: now["NRestarts"] == "1" and now["ActiveState"] == "active", *STATE)
        stage.until(SHAPER_UNIT, lambda _: classes(stage) == [], *STATE)
        client.communicate()


def test_a_killed_helper_that_is_not_to_come_back_leaves_nothing_either(stage: SystemdStage) -> None:
    stage.drop_in(SHAPER_UNIT, f"[Service]\nEnvironment={WORDS}\nRestart=no\n")
    listens(stage)
    held = stage.enter("env", *WORDS.split(), f"{VENV}/bin/python", "-c", SHAPE)
    with subprocess.Popen(held, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as client:
        assert client.stdout is not None
        assert client.stdout.readline() == b"v0\n"
        stage.systemctl("kill", "--signal=KILL", SHAPER_UNIT)
        client.communicate()
    stage.until(SHAPER_UNIT, lambda now: now["ActiveState"] == "failed", *STATE)
    assert classes(stage) == []


def test_the_helper_stops_cleanly(stage: SystemdStage) -> None:
    listens(stage)
    stage.systemctl("stop", SHAPER_UNIT)
    state = stage.show(SHAPER_UNIT, *STATE)
    assert (state["ActiveState"], state["Result"], state["ExecMainStatus"]) == ("inactive", "success", "0"), stage.log(
        SHAPER_UNIT
    )
    assert "federa-bench" not in stage.run("ls", "/run").split()
