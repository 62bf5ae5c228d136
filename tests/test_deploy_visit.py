"""A device from nothing to a finished round and back, over a real sshd, under a real systemd."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchtools import LONGEST_S, command
from device_packages import wheelhouse
from ssh_stage import ADDRESS, HOST, Device, skip_unless_permitted

from harness.deploy.package import built
from harness.keys import make_pair

CONTROLLER = f"tcp://{ADDRESS}:5555"
TEMPLATE = "federa-bench-agent@.service"
UNIT = TEMPLATE.replace("@", f"@{HOST}")
SYSTEM_S_OWN = {f"/upper/etc/{name}-" for name in ("passwd", "shadow", "group", "gshadow")}
"""Copies that the system keeps of its lists of users, whoever changes them."""


class Lab:
    """A controller's folder, and a device that it reaches by ssh."""

    def __init__(self, folder: Path, device: Device) -> None:
        self.folder, self.device = folder, device
        self.keys = folder / "keys"
        make_pair(self.keys, "controller")
        (folder / "built").mkdir()
        self.wheel = built(folder / "built", None, None).wheel
        (folder / "wheels").mkdir()
        self.wheels = wheelhouse(folder / "wheels")
        # an agent that cannot start is given up after its second restart
        device.write(f"/run/systemd/system/{TEMPLATE}.d/soon.conf", "[Service]\nRestartSec=0\n")

    def deploy(self, *words: str, exit_code: int = 0, wheel: Path | None = None) -> str:
        """Run the command beside the device; what it printed."""
        sent = [] if "--remove" in words else ["--wheel", str(wheel or self.wheel), "--wheelhouse", str(self.wheels)]
        given = ["--keys", str(self.keys), "--ssh-config", str(self.device.ssh_config), *sent, *words]
        line = self.device.beside(sys.executable, "-m", "harness.deploy", *given)
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        assert done.returncode == exit_code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def run(self) -> str:
        """A round of the null trainer on the deployed agent; what the controller printed."""
        words = ["run", "null", "--external", "--agents", "1", "--rounds", "1", "--bind", CONTROLLER]
        line = self.device.beside(*command(*words, "--keys", str(self.keys), "--out", str(self.folder / "runs")))
        done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=LONGEST_S)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def allowed(self) -> list[str]:
        """The names that the controller lets in."""
        path = self.keys / "allowed"
        return [line.split()[0] for line in path.read_text().splitlines()] if path.exists() else []

    def broken(self) -> Path:
        """A wheel whose agent cannot be imported."""
        path = self.folder / "broken" / self.wheel.name
        path.parent.mkdir()
        with zipfile.ZipFile(self.wheel) as whole, zipfile.ZipFile(path, "w") as wheel:
            for name in whole.namelist():
                wheel.writestr(name, b"import no_such_module\n" if name == "agents/worker.py" else whole.read(name))
        return path


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("lab")
    skip_unless_permitted(folder / "probe")
    (folder / "device").mkdir()
    with Device(folder / "device") as device:
        yield Lab(folder, device)


def test_a_device_from_nothing_to_a_round_and_back(lab: Lab) -> None:
    device = lab.device
    before = device.files()

    planned = lab.deploy(HOST, "--controller", CONTROLLER, "--dry-run")
    assert "# 4. packages" in planned
    assert device.files() == before

    said = lab.deploy(HOST, "--controller", CONTROLLER)
    assert f"{HOST} is up (torch " in said
    assert lab.allowed() == [HOST]
    assert "orin-01 is ready (1 of 1)" in lab.run()
    assert "torch-" not in device.run("sh", "-c", "ls /opt/federa-bench/current/lib/python3*/site-packages")
    secret = device.run("cat", f"/etc/federa-bench/keys/{HOST}.secret").split()[-1]
    assert device.run("stat", "-c", "%a %U", f"/etc/federa-bench/keys/{HOST}.secret").split() == ["600", "root"]

    pid = device.property(UNIT, "MainPID")
    assert "packages" not in lab.deploy(HOST), "nothing changed, so nothing is sent"
    assert device.property(UNIT, "MainPID") == pid

    failed = lab.deploy(HOST, wheel=lab.broken(), exit_code=1)
    assert "no_such_module" in failed
    assert device.property(UNIT, "MainPID") == pid, "the agent that ran goes on"

    failed = lab.deploy(HOST, "--options=--no-such-option", exit_code=1)
    assert "unrecognized arguments: --no-such-option" in failed
    assert "the release before was put back" in failed
    assert "orin-01 is ready (1 of 1)" in lab.run()
    assert secret == device.run("cat", f"/etc/federa-bench/keys/{HOST}.secret").split()[-1]
    assert secret not in planned + said + failed + device.run("journalctl", "--no-pager")

    assert "/var/lib/federa-bench (the cache)" in lab.deploy(HOST, "--remove", "--keep-cache")
    assert lab.allowed() == []
    assert device.run("ls", f"/var/lib/federa-bench/{HOST}").split()
    lab.deploy(HOST, "--remove")
    after = device.files()
    assert {path for path in after if after[path] != before.get(path)} <= SYSTEM_S_OWN
    assert set(before) <= set(after)
    assert "nothing is deployed there" in lab.deploy(HOST, "--remove")


def test_one_board_that_fails_does_not_stop_the_others(lab: Lab, tmp_path: Path) -> None:
    config = lab.device.ssh_config.read_text()
    lab.device.ssh_config.write_text(config + config.replace(HOST, "orin-02") + " Port 2222\n")
    file = tmp_path / "devices.yaml"
    file.write_text(f"controller: {CONTROLLER}\ndevices:\n  - host: orin-02\n  - host: {HOST}\n")
    said = lab.deploy("--inventory", str(file), "--dry-run", exit_code=1)
    assert "nothing listens for ssh there" in said
    assert "1 of 2 devices done" in said


def test_an_unknown_host_is_never_trusted(lab: Lab) -> None:
    known = lab.device.folder / "known_hosts"
    line = known.read_text()
    known.write_text("")
    said = lab.deploy(HOST, "--remove", exit_code=1)
    known.write_text(line)
    assert (
        f"its host key is not known here; log in once and compare the key that is shown with that of the device: ssh "
        f"{HOST}" in " ".join(said.split())
    )
