"""The command that probes a link: between two machines with helpers, and on loopback without."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from link_ends import CONTROLLER, PORT
from shaping_stage import Machines, until

from harness import probe_command

COMMAND = (sys.executable, "-m", "harness.probe_command")
PLACE = f"tcp://{CONTROLLER}:{PORT}"


def test_a_kept_rate_is_seen_by_clock_and_interface_both_ways(tmp_path: Path) -> None:
    with Machines(tmp_path) as machines:
        for at in ("controller", "agent"):
            machines.helper(at)
        rate = ("--rate-mbps", "25", "--seconds", "2")
        near = machines.start(
            "controller", *COMMAND, "--answer", PLACE, *rate, "--shaper", str(machines.socket("controller"))
        )
        assert "answers at" in until(near.stdout, "answers at")
        helper = ("--shaper", str(machines.socket("agent")))
        down, up = kept(machines, "--connect", PLACE, *rate, *helper, "--json")
        assert (down["way"], up["way"]) == ("down", "up")
        assert [probe["allowed_mbps"] for probe in (down, up)] == pytest.approx([25.0, 25.0])
        with machines.shaper("agent") as other:
            other.check(CONTROLLER)  # it is served after the probe, which has gone
        assert "fedb" not in machines.run("agent", "tc", "qdisc", "show")


def kept(machines: Machines, *words: str) -> list[dict[str, object]]:
    """What the probe says. A machine that is held up is slower, never faster: then it is asked once more."""
    for _ in range(20):
        told: list[dict[str, object]] = json.loads(
            machines.run("agent", "sh", "-c", '"$@" || true', "sh", *COMMAND, *words)
        )
        if all(probe["kept"] for probe in told):
            return told
        assert all(float(str(probe["achieved_mbps"])) < 25.75 for probe in told), told
    raise AssertionError(f"not kept: {told}")


def test_a_rate_that_only_one_end_keeps_is_not_kept(tmp_path: Path) -> None:
    with Machines(tmp_path) as machines:
        machines.helper("agent")
        near = machines.start("controller", *COMMAND, "--answer", PLACE)
        assert "answers at" in until(near.stdout, "answers at")
        words = ("--connect", PLACE, "--rate-mbps", "25", "--seconds", "0.5", "--shaper", str(machines.socket("agent")))
        said = machines.run("agent", "sh", "-c", '"$@" && exit 1 || true', "sh", *COMMAND, *words)
        assert "NOT KEPT  down" in said
        assert "the same --rate-mbps?" in said


def test_without_a_rate_it_says_what_the_link_can_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        place = f"127.0.0.1:{free.getsockname()[1]}"
    near = subprocess.Popen(
        [*COMMAND, "--answer", f"tcp://{place}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert f"answers at {place}" in until(near.stdout, "answers at")
        told = subprocess.run(
            [*COMMAND, "--connect", f"tcp://{place}"], capture_output=True, text=True, check=True
        ).stdout
    finally:
        near.kill()
        near.communicate()
    assert [line.split()[0] for line in told.splitlines()] == ["down", "up"]
    assert told.count("Mbit/s, not shaped") == 2


@pytest.mark.parametrize(
    ("words", "sentence", "code"),
    [
        (["--connect", "orin"], "'orin' is no address of a controller", 2),
        (["--connect", "tcp://127.0.0.1:9", "--rate-mbps", "-3"], "--rate-mbps -3", 2),
        (["--answer", "tcp://192.0.2.1:5555"], "nothing can listen at 192.0.2.1:5555", 2),
        (["--connect", "tcp://127.0.0.1:9", "--rate-mbps", "5", "--shaper", "/nowhere"], "/nowhere", 1),
        (["--connect", "tcp://127.0.0.1:9"], "is its other end there?", 1),
    ],
)
def test_what_cannot_be_is_one_sentence(
    words: list[str], sentence: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert probe_command.main(words) == code
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1
