"""The command: bad usage is one sentence and 2, a device that is not there one sentence and 1."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from profile_commands import make

from harness.deploy.command import main
from harness.keys import make_pair


def words(folder: Path, *more: str) -> list[str]:
    make_pair(folder / "keys", "controller") if not (folder / "keys").exists() else None
    (folder / "config").touch()
    return ["--keys", str(folder / "keys"), "--ssh-config", str(folder / "config"), *more]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ([], "name the devices"),
        (["a", "--inventory", "x.yaml"], "name the devices"),
        (["a", "b", "--name", "c"], "--name is for one device"),
        (["a", "a"], "stands there twice"),
        (["--", "-oProxyCommand=x"], "is no host"),
        (["lab@10.0.0.1"], "--name"),
        (["a", "--controller", "10.0.0.1"], "is no address of a controller"),
        (["--inventory", "no-such.yaml"], "cannot be read"),
    ],
)
def test_bad_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], says: str) -> None:
    assert main(words(tmp_path, *more)) == 2
    assert says in capsys.readouterr().err


def test_a_controller_without_keys_is_told_before_anything_is_built(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["orin-01", "--keys", str(tmp_path)]) == 2
    assert "federa-bench keys new controller" in capsys.readouterr().err


@pytest.mark.skipif(shutil.which("ssh") is None, reason="ssh is not installed here")
def test_a_device_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config").write_text("Host orin-01\n HostName 127.0.0.1\n Port 1\n")
    make_pair(tmp_path / "keys", "controller")
    assert main(words(tmp_path, "orin-01", "--remove")) == 1
    assert "nothing listens for ssh there" in capsys.readouterr().out


def test_make_passes_its_variables_on() -> None:
    printed = make("-n", "deploy", "HOST=lab@orin-01", "CONTROLLER=tcp://a:1", "NAME=n", "DRY_RUN=1").stdout
    line = printed.splitlines()[-1].replace('"', "").split()
    assert line[1:] == ["deploy", "lab@orin-01", "--name", "n", "--dry-run", "--controller", "tcp://a:1"]
    printed = make("-n", "undeploy", "INVENTORY=devices.yaml", "KEEP_CACHE=1").stdout
    assert printed.splitlines()[-1].replace('"', "").split()[1:] == [
        "deploy", "--remove", "--inventory", "devices.yaml", "--keep-cache",
    ]  # fmt: skip
