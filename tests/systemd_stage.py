"""A real systemd for tests, booted in namespaces of its own: an overlay of this machine's files as its root, which is
gone afterwards. It sees no unit but those that the test writes, and nothing of this machine's /run, /tmp or network.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import site
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

SYSTEMD = "/lib/systemd/systemd"
ROOT = Path(__file__).parent.parent
PATIENCE_S = 120.0
HOME = "/opt/federa-bench"
VENV = f"{HOME}/venv"
"""Where the package stands inside: a place that hardened services may read, wherever it is outside."""
ENVIRONMENT = {"PYTHONPATH": f"{HOME}/source", "LD_LIBRARY_PATH": f"{HOME}/python/lib"}
"""What a Python that was moved needs to find the package and itself."""

OUTER = """
set -eu
mkdir -p "$1/cgroups"; mount -t cgroup2 stage "$1/cgroups"
group="$1/cgroups/$2"; mkdir "$group"
( echo $BASHPID > "$group/cgroup.procs"
  exec unshare --fork --pid --mount --uts --ipc --net --cgroup bash -c "$INNER" inner "$1" ) || true
find "$group" -depth -type d -exec rmdir {} +
"""
"""PID 1 of an outer namespace: gives systemd a control group of its own, and takes that away when systemd is dead."""
KILLED = ("setpriv", "--pdeathsig", "KILL", "unshare", "--fork", "--pid", "--mount", "--kill-child")
START = (*KILLED, "bash", "-c", OUTER, "outer")
"""pytest's death is this one's, whose death is its child's, which is PID 1 of all that is inside."""

INNER = """
set -eu
cd "$1"; mkdir layers; mount -t tmpfs -o mode=755 stage layers
mkdir layers/upper layers/work layers/root
mount -t overlay stage -o "lowerdir=/,upperdir=$1/layers/upper,workdir=$1/layers/work" layers/root
cd layers/root
mount -t tmpfs -o mode=755 stage run; mount -t tmpfs -o mode=1777 stage tmp; mount -t tmpfs -o mode=1777 stage var/tmp
mount -t proc proc proc; mount -t sysfs sysfs sys; mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 stage dev; mkdir dev/pts dev/shm; mount -t tmpfs -o mode=1777 stage dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts; ln -s pts/ptmx dev/ptmx; ln -s /proc/self/fd dev/fd
mknod -m 666 dev/null c 1 3; mknod -m 666 dev/zero c 1 5; mknod -m 666 dev/full c 1 7
mknod -m 666 dev/random c 1 8; mknod -m 666 dev/urandom c 1 9; mknod -m 666 dev/tty c 5 0
mkdir -p "stage" "etc/federa-bench" ".$HOME_INSIDE"/{python,source,venv/bin} ".$SITE_INSIDE"
mount --bind "$1/shared" stage; mount --rbind "$BASE" ".$HOME_INSIDE/python"
mount --rbind "$SOURCE" ".$HOME_INSIDE/source"; mount --rbind "$SITE" ".$SITE_INSIDE"
cp -r "$1"/venv/. ".$HOME_INSIDE/venv"; cp -r "$1"/etc/. etc
pivot_root . .; umount -l .; cd /; mount --make-rshared /
systemd-sysusers
exec env -i container=docker PATH="$PATH" NOTIFY_SOCKET=/stage/notify SYSTEMD_UNIT_PATH=/stage/units \
    SYSTEMD_GENERATOR_PATH=/stage/none SYSTEMD_ENVIRONMENT_GENERATOR_PATH=/stage/none \
    "$SYSTEMD" --system --unit=stage.target
"""
"""PID 1 of the stage: mounts the root and becomes systemd."""

SMALL = "[Unit]\nDefaultDependencies=no\n"
TARGETS = ("sysinit", "basic", "shutdown", "network-online", "umount", "sockets")
JOURNAL = ("systemd-journald.service", "systemd-journald.socket", "systemd-journald-dev-log.socket")


class SystemdStage:
    """A booted systemd. Use it as a context; at its end all of it is killed.

    Args:
        folder: scratch; ``folder/shared`` is ``/stage`` inside.
        etc: files of /etc inside: text by relative path.
        units: unit files by name.
    """

    def __init__(self, folder: Path, units: Mapping[str, str], etc: Mapping[str, str]) -> None:
        self.folder, self.shared = folder, folder / "shared"
        self._write_units(units)
        for name, text in {"machine-id": os.urandom(16).hex() + "\n", **etc}.items():
            self._write(folder / "etc" / name, text, 0o600 if name.endswith(".secret") else 0o644)
        self._write_venv()
        self._boot()

    def __enter__(self) -> SystemdStage:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Kill its PID 1, and with it everything inside."""
        if self._process.poll() is None and self.pid:
            os.kill(self.pid, signal.SIGKILL)
        self._process.wait(PATIENCE_S)

    def enter(self, *words: str, only_net: bool = False) -> list[str]:
        """The command line that runs ``words`` inside; ``only_net``: with this machine's files, on its network."""
        kinds = ["-n"] if only_net else ["-p", "-m", "-u", "-i", "-n"]
        return ["nsenter", "-t", str(self.pid), *kinds, *words]

    def run(self, *words: str, check: bool = True) -> str:
        """Run a command inside; returns what it printed."""
        done = subprocess.run(self.enter(*words), capture_output=True, text=True, check=False, timeout=PATIENCE_S)
        assert not check or done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    def systemctl(self, *words: str, check: bool = True) -> str:
        """Run systemctl inside."""
        try:
            return self.run("systemctl", "--no-pager", *words, check=check)
        except AssertionError as failed:
            raise AssertionError(f"{failed}\nthe log of {words[-1]}:\n{self.log(words[-1])}") from None

    def show(self, unit: str, *names: str) -> dict[str, str]:
        """Properties of a unit."""
        said = self.systemctl("show", unit, *(word for name in names for word in ("-p", name)))
        return dict(line.split("=", 1) for line in said.splitlines())

    def until(self, unit: str, seen: Callable[[dict[str, str]], bool], *names: str) -> dict[str, str]:
        """Look at a unit's properties until they are as they should be; returns them."""
        end_s = time.monotonic() + PATIENCE_S
        while not seen(found := self.show(unit, *names)):
            assert time.monotonic() < end_s, f"{unit} stayed {found}; its log:\n{self.log(unit)}"
        return found

    def log(self, unit: str) -> str:
        """What a unit said, and what systemd said of it."""
        self.run("journalctl", "--sync", check=False)
        return self.run("journalctl", "--no-pager", "-o", "cat", "-u", unit, check=False)

    def outside(self, pid_inside: str) -> int:
        """A process's id as this machine counts."""
        for path in Path("/proc").glob("[0-9]*/status"):
            words = _words_of(path, "NSpid:")
            if words[-1:] == [pid_inside] and _same_namespace(int(words[0]), self.pid):
                return int(words[0])
        raise AssertionError(f"no process {pid_inside} inside")

    def drop_in(self, unit: str, text: str) -> None:
        """Add to a unit, as `systemctl edit` does."""
        self._write(self.shared / "units" / f"{unit}.d" / "test.conf", text)
        self.systemctl("daemon-reload")

    def _boot(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
            ear.bind(str(self.shared / "notify"))
            with (self.folder / "boot.log").open("wb") as log:
                self._process = subprocess.Popen(self._command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            self.pid = 0
            deadline_s = time.monotonic() + PATIENCE_S
            while b"READY=1" not in (ear.recv(4096) if select.select([ear], [], [], 0.2)[0] else b""):
                said = (self.folder / "boot.log").read_text(errors="replace")
                assert self._process.poll() is None, f"systemd did not boot: {said}"
                assert time.monotonic() < deadline_s, f"systemd did not come up: {said}"
        self.pid = self._pid_one()

    def _pid_one(self) -> int:
        """systemd's process as this machine counts: the innermost of unshare's children."""
        pid = self._process.pid
        while _words_of(Path(f"/proc/{pid}/comm"), "")[:1] != ["systemd"]:
            (pid,) = (int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        return pid

    def _command(self) -> list[str]:
        inside = f"{VENV}/lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
        names = {"BASE": sys.base_prefix, "SOURCE": str(ROOT), "SITE": site.getsitepackages()[0]}
        names |= {"INNER": INNER, "SYSTEMD": SYSTEMD, "HOME_INSIDE": HOME, "SITE_INSIDE": inside}
        given = [f"{name}={value}" for name, value in names.items()]
        return ["env", *given, *START, str(self.folder), f"stage-{os.getpid()}-{os.urandom(4).hex()}"]

    def _write_units(self, units: Mapping[str, str]) -> None:
        journal = {name: (Path(SYSTEMD).parent / "system" / name).read_text() for name in JOURNAL}
        targets = {f"{name}.target": SMALL for name in TARGETS}
        stage = f"{SMALL}Wants=systemd-journald.service\nAfter=systemd-journald.service\n"
        for name, text in {**targets, **journal, "stage.target": stage, **units}.items():
            self._write(self.shared / "units" / name, text)

    def _write_venv(self) -> None:
        python = f"{HOME}/python/bin/python{sys.version_info.major}.{sys.version_info.minor}"
        self._write(self.folder / "venv" / "pyvenv.cfg", f"home = {HOME}/python/bin\n")
        # What stands in source comes before an editable install of this checkout, which may be in a hidden place.
        program = f"#!{VENV}/bin/python\nimport sys\nfrom harness.cli import main\nsys.exit(main())\n"
        self._write(self.folder / "venv" / "bin" / "federa-bench", program, 0o755)
        (self.folder / "venv" / "bin" / "python").symlink_to(python)

    def _write(self, path: Path, text: str, mode: int = 0o644) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)


def skip_unless_permitted(folder: Path) -> None:
    """Skip the test where namespaces, an overlay or control groups of one's own are not to be had, and say why."""
    if missing := [name for name in ("unshare", "nsenter", "setpriv", SYSTEMD) if shutil.which(name) is None]:
        pytest.skip(f"a systemd of the test's own needs {', '.join(missing)}")
    folder.mkdir(exist_ok=True)
    script = 'set -e; cd "$1"; mkdir c t; mount -t cgroup2 s c; mkdir "c/$2"; rmdir "c/$2"; mount -t tmpfs s t; '
    script += "mkdir t/u t/w t/r; mount -t overlay s -o lowerdir=/,upperdir=t/u,workdir=t/w t/r; mknod t/n c 1 3"
    words = ["unshare", "--fork", "--pid", "--mount", "--uts", "--ipc", "--net", "--cgroup", "bash", "-c", script]
    probe = [*words, "probe", str(folder), f"probe-{os.getpid()}-{os.urandom(4).hex()}"]
    done = subprocess.run(probe, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"a systemd of the test's own cannot be booted here: {done.stderr.strip()}")


def _words_of(path: Path, begin: str) -> list[str]:
    try:
        lines = path.read_text(errors="replace").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return next((line.removeprefix(begin).split() for line in lines if line.startswith(begin)), [])


def _same_namespace(pid: int, other: int) -> bool:
    try:
        return os.readlink(f"/proc/{pid}/ns/pid") == os.readlink(f"/proc/{other}/ns/pid")
    except (FileNotFoundError, ProcessLookupError):
        return False
