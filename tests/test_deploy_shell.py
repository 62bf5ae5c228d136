"""ssh never asks, never bypasses a host key, and leaves nothing behind."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from harness.deploy.shell import Connection, options
from harness.errors import DeployError

pytestmark = pytest.mark.skipif(shutil.which("ssh") is None, reason="ssh is not installed here")


def test_its_options_are_strict() -> None:
    assert {"BatchMode=yes", "StrictHostKeyChecking=yes", "ForwardAgent=no"} <= set(options(None))
    assert options(Path("/tmp/config"))[:2] == ["-F", "/tmp/config"]


def test_a_connection_that_fails_leaves_nothing(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("Host orin-01\n HostName 127.0.0.1\n Port 1\n")
    connection = Connection("orin-01", config)
    with pytest.raises(DeployError, match="nothing listens for ssh there"), connection:
        pass
    assert not connection.folder.exists()
