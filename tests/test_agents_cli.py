"""The command as people run it, in a fresh interpreter."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from stub_controller import StubController

from agents.cli import main
from harness.protocol import messages as m


def test_importing_the_agent_loads_nothing_heavy() -> None:
    code = "import json, sys, agents.agent, agents.cli; print(json.dumps(sorted(sys.modules)))"
    modules = json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)
    heavy = {"torch", "numpy", "pandas", "rich", "typer", "transformers", "psutil", "harness.learning.trainer"}
    for_a_run = {"agents.equipped", "harness.sensors", "harness.shaping", "harness.doctor"}
    assert (heavy | for_a_run).isdisjoint(modules)


@pytest.mark.parametrize("endpoint", ["localhost", "tcp://localhost", "ipc:///tmp/x", "tcp://host:port"])
def test_an_address_that_is_none_is_a_usage_error(endpoint: str, tmp_path: Path, capsys) -> None:
    assert main(["--connect", endpoint, "--cache", str(tmp_path)]) == 2
    assert f"{endpoint!r} is no address of a controller" in capsys.readouterr().err


def test_a_name_that_is_none_is_a_usage_error(tmp_path: Path, capsys) -> None:
    assert main(["--connect", "tcp://h:1", "--name", "a b", "--cache", str(tmp_path)]) == 2
    assert "'a b' is no name for an agent" in capsys.readouterr().err


def test_a_cache_that_cannot_be_used_is_named(tmp_path: Path, capsys) -> None:
    (tmp_path / "file").write_text("")
    assert main(["--connect", "tcp://127.0.0.1:1", "--name", "a", "--cache", str(tmp_path / "file")]) == 1
    assert str(tmp_path / "file") in capsys.readouterr().err


def test_a_service_without_credentials_and_home_is_told_what_is_missing(tmp_path: Path) -> None:
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path), "FEDERA_BENCH_KEYS": "~nobody-of-this-name/keys"}
    command = [sys.executable, "-m", "agents", "--connect", "tcp://192.0.2.1:5555", "--cache", str(tmp_path / "cache")]
    done = subprocess.run(command, capture_output=True, text=True, env=environ, check=False)
    assert done.returncode == 2
    assert f"an agent needs a key of its own to connect to tcp://192.0.2.1:5555, and {tmp_path} has none" in done.stderr


def test_a_made_tree_stands_in_for_the_sensors_and_the_doctor_s_findings(tmp_path: Path) -> None:
    controller = StubController(tmp_path, telemetry_hz=50.0)
    command = [sys.executable, "-m", "agents", "--connect", controller.server.endpoint, "--name", "a1"]
    command += ["--cache", str(tmp_path / "cache"), "--sys-root", str(tmp_path / "made")]
    (tmp_path / "made").mkdir()
    with (tmp_path / "log").open("wb") as log:
        agent = subprocess.Popen(command, stderr=log)
    try:
        controller.until(m.Ready)
        controller.task(b"state")
        controller.until(m.Done)
        told = controller.until(m.DeviceReport).report
        assert told["doctor"]
        assert told["device"]["source"] in ("psutil", "none")
    finally:
        agent.terminate()
        agent.wait()
        controller.server.close(0)


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_ends_the_agent_and_its_trainer_with_a_goodbye(
    tmp_path: Path, number: signal.Signals, exit_code: int
) -> None:
    controller = StubController(tmp_path)
    command = [sys.executable, "-m", "agents", "--connect", controller.server.endpoint]
    command += ["--name", "a1", "--cache", str(tmp_path / "cache")]
    with (tmp_path / "log").open("wb") as log:
        agent = subprocess.Popen(command, stderr=log)
    try:
        controller.until(m.Ready)
        agent.send_signal(number)
        assert "it was" in controller.until(m.Goodbye).reason
        assert agent.wait(30) == exit_code
        assert b"Traceback" not in (tmp_path / "log").read_bytes()
        assert list((tmp_path / "cache" / "agents").iterdir()) == []
    finally:
        agent.kill()
        agent.wait()
        controller.server.close(0)
