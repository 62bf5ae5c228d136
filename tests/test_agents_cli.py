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
    assert heavy.isdisjoint(modules)


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
