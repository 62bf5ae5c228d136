"""A device for tests of the deployment: a booted systemd with a real sshd, an overlay of this machine's files as its
root, and a user with sudo. This machine's torch stands in for JetPack's; nothing else of what deployments install is
there. Everything is gone afterwards, and nothing of this machine is touched.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import pytest
import systemd_stage
from device_packages import jetpack_packages
from systemd_stage import JOURNAL, SMALL, START, SYSTEMD

PATIENCE_S = 60.0
HOST, ADDRESS = "orin-01", "10.77.0.1"
PYTHON = Path("/usr/bin/python3")
JETPACK = "/usr/lib/jetpack"
NEEDED = ("sshd", "ssh", "ssh-keygen", "rsync", "sudo", "runuser", "journalctl", "systemd-sysusers")

INNER = """
set -eu
cd "$1"; mkdir layers; mount -t tmpfs -o mode=755 stage layers
mkdir layers/upper layers/work layers/root
mount -t overlay stage -o "lowerdir=/,upperdir=$1/layers/upper,workdir=$1/layers/work" layers/root
cd layers/root
for hidden in run tmp var/tmp root home opt srv usr/local; do mount -t tmpfs -o mode=755 stage "$hidden"; done
chmod 1777 tmp var/tmp; chmod 700 root
mount -t proc proc proc; mount -t sysfs sysfs sys; mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 stage dev; mkdir dev/pts dev/shm; mount -t tmpfs -o mode=1777 stage dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts; ln -s pts/ptmx dev/ptmx; ln -s /proc/self/fd dev/fd
mknod -m 666 dev/null c 1 3; mknod -m 666 dev/zero c 1 5; mknod -m 666 dev/full c 1 7
mknod -m 666 dev/random c 1 8; mknod -m 666 dev/urandom c 1 9; mknod -m 666 dev/tty c 5 0
mkdir stage upper usr/lib/jetpack
mount --bind "$1/shared" stage; mount --bind "$1/layers/upper" upper
mount --bind "$SITE" usr/lib/jetpack; mount -o remount,bind,ro usr/lib/jetpack
mkdir -p "usr/local/lib/$PACKAGES"
for path in $JETPACK; do ln -s "/usr/lib/jetpack/$path" "usr/local/lib/$PACKAGES/$path"; done
rm -rf etc/systemd/system etc/pip.conf etc/resolv.conf etc/ssh; mkdir etc/systemd/system; cp -r "$1"/etc/. etc
pivot_root . .; umount -l .; cd /; mount --make-rshared /
ip link set lo up; ip addr add "$ADDRESS/32" dev lo
groupadd --system render 2>/dev/null || true
useradd --create-home --shell /bin/bash lab; usermod -p '*' lab; chmod 440 /etc/sudoers.d/lab
mkdir -m 700 /home/lab/.ssh; cp /stage/authorized_keys /home/lab/.ssh; chown -R lab: /home/lab/.ssh
exec env -i container=docker PATH="$PATH" NOTIFY_SOCKET=/stage/notify \
    SYSTEMD_GENERATOR_PATH=/stage/none SYSTEMD_ENVIRONMENT_GENERATOR_PATH=/stage/none \
    "$SYSTEMD" --system --unit=multi-user.target
"""
"""PID 1 of the device: mounts the root, makes a user who may log in and become root, and becomes systemd."""

SSHD_CONFIG = """Port 22
ListenAddress 0.0.0.0
HostKey /stage/host_key
AuthorizedKeysFile .ssh/authorized_keys
PasswordAuthentication no
UsePAM no
PermitRootLogin no
Subsystem sftp internal-sftp
"""
SSHD_UNIT = """[Unit]
DefaultDependencies=no
[Service]
RuntimeDirectory=sshd
ExecStart=/usr/sbin/sshd -D -e -f /stage/sshd_config
"""
LISTED = r"""
import hashlib, json, os
QUIET = ("/upper/var/log/journal", "/upper/etc/.pwd.lock", "/upper/etc/.updated", "/upper/var/.updated")
found = {}
for top in ("/upper", "/run/federa-bench", "/tmp", "/var/tmp", "/root", "/home", "/opt", "/srv", "/usr/local"):
    for folder, folders, files in os.walk(top):
        for name in [*folders, *files]:
            path = os.path.join(folder, name)
            if path.startswith(QUIET):
                continue
            if os.path.isfile(path) and not os.path.islink(path):
                with open(path, "rb") as file:
                    found[path] = hashlib.sha256(file.read()).hexdigest()
            else:
                found[path] = os.readlink(path) if os.path.islink(path) else "folder or device"
print(json.dumps(found))
"""


class Device:
    """A booted device on which nothing is deployed. Use it as a context; at its end all of it is killed.

    Args:
        folder: scratch; ``folder/shared`` is ``/stage`` inside.
        torch: whether its Python has one.
    """

    def __init__(self, folder: Path, *, torch: bool = True) -> None:
        self.folder, self.shared = folder, folder / "shared"
        self.ssh_config = folder / "ssh_config"
        self._torch = torch
        self._write_ssh()
        self._write_etc()
        self._boot()

    def __enter__(self) -> Device:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None and self.pid:
            os.kill(self.pid, signal.SIGKILL)
        self._process.wait(PATIENCE_S)

    def enter(self, *words: str) -> list[str]:
        """The command line that runs ``words`` inside, as root."""
        return ["nsenter", "-t", str(self.pid), "-p", "-m", "-u", "-i", "-n", *words]

    def beside(self, *words: str) -> list[str]:
        """The command line that runs ``words`` with this machine's files, on the device's network."""
        return ["nsenter", "-t", str(self.pid), "-n", *words]

    def run(self, *words: str, check: bool = True) -> str:
        """Run a command inside, as root; returns what it printed."""
        done = subprocess.run(self.enter(*words), capture_output=True, text=True, check=False, timeout=PATIENCE_S)
        assert not check or done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    def files(self) -> dict[str, str]:
        """What this device has beyond this machine: hashes by path."""
        found: dict[str, str] = json.loads(self.run(str(PYTHON), "-I", "-B", "-c", LISTED))
        return found

    def write(self, path: str, text: str) -> None:
        """Write a file inside, as root."""
        self.run("sh", "-c", 'mkdir -p "${0%/*}" && printf %s "$1" > "$0"', path, text)

    def property(self, unit: str, name: str) -> str:
        """A property of a unit."""
        return self.run("systemctl", "show", "-p", name, "--value", unit).strip()

    def _write_ssh(self) -> None:
        for name in ("host_key", "user_key"):
            path = self._place(f"shared/{name}" if name == "host_key" else name)
            words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)]
            subprocess.run(words, check=True, stdin=subprocess.DEVNULL)
        host_key = (self.shared / "host_key.pub").read_text().split()[:2]
        self._write("known_hosts", f"{ADDRESS} {' '.join(host_key)}\n")
        self._write("shared/authorized_keys", (self.folder / "user_key.pub").read_text())
        self._write("shared/sshd_config", SSHD_CONFIG)
        self._write(
            "ssh_config",
            f"Host {HOST}\n HostName {ADDRESS}\n User lab\n IdentityFile {self.folder}/user_key\n IdentitiesOnly yes\n"
            f" UserKnownHostsFile {self.folder}/known_hosts\n GlobalKnownHostsFile /dev/null\n CheckHostIP no\n",
        )

    def _write_etc(self) -> None:
        units = {name: (Path(SYSTEMD).parent / "system" / name).read_text() for name in JOURNAL}
        units |= {f"{name}.target": SMALL for name in systemd_stage.TARGETS}
        wants = "Wants=systemd-journald.service device-sshd.service\nAfter=systemd-journald.service\n"
        units |= {"multi-user.target": SMALL + wants, "device-sshd.service": SSHD_UNIT}
        for name, text in units.items():
            self._write(f"etc/systemd/system/{name}", text)
        self._write("etc/machine-id", os.urandom(16).hex() + "\n")
        self._write("etc/hostname", f"{HOST}\n")
        self._write("etc/hosts", f"127.0.0.1 localhost {HOST}\n")
        self._write("etc/sudoers.d/lab", "lab ALL=(ALL) NOPASSWD: ALL\n", 0o440)

    def _boot(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
            ear.bind(str(self.shared / "notify"))
            ear.settimeout(0.2)
            with (self.folder / "boot.log").open("wb") as log:
                self._process = subprocess.Popen(self._command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            self.pid = 0
            end_s = time.monotonic() + PATIENCE_S
            while not _is_ready(ear):
                said = (self.folder / "boot.log").read_text(errors="replace")
                assert self._process.poll() is None, f"the device did not boot: {said}"
                assert time.monotonic() < end_s, f"the device did not come up: {said}"
        self.pid = _pid_one(self._process.pid)

    def _command(self) -> list[str]:
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        names = {
            "INNER": INNER,
            "SYSTEMD": SYSTEMD,
            "ADDRESS": ADDRESS,
            "SITE": sysconfig.get_path("purelib"),
            "PACKAGES": f"{version}/dist-packages",
            "JETPACK": " ".join(jetpack_packages()) if self._torch else "",
        }
        given = [f"{name}={value}" for name, value in names.items()]
        return ["env", *given, *START, str(self.folder), f"device-{os.getpid()}-{os.urandom(4).hex()}"]

    def _place(self, name: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _write(self, name: str, text: str, mode: int = 0o644) -> None:
        path = self._place(name)
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)


def skip_unless_permitted(folder: Path) -> None:
    """Skip the test where a device cannot be booted, and say why."""
    if missing := [name for name in NEEDED if shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin") is None]:
        pytest.skip(f"a device of the test's own needs {', '.join(missing)}")
    same = f"{sys.version_info.major}.{sys.version_info.minor}"
    asked = "import sys; print('%d.%d' % sys.version_info[:2])"
    if not PYTHON.exists() or subprocess.check_output([PYTHON, "-c", asked], text=True).strip() != same:
        pytest.skip(f"this machine's {PYTHON} is no Python {same}, for which its torch was made")
    systemd_stage.skip_unless_permitted(folder)


def _is_ready(ear: socket.socket) -> bool:
    try:
        return b"READY=1" in ear.recv(4096)
    except TimeoutError:
        return False


def _pid_one(pid: int) -> int:
    """systemd's process as this machine counts: the innermost of unshare's children."""
    while Path(f"/proc/{pid}/comm").read_text().strip() != "systemd":
        (pid,) = (int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    return pid
