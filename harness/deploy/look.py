"""A script for the device's own Python, 3.7 or newer, and nothing else: prints what it finds there as one line of JSON.

It goes to that Python's standard input and changes nothing. The words it reports are those of :mod:`facts`.
"""

from __future__ import annotations

import getpass
import grp
import hashlib
import json
import os
import platform
import pwd
import shutil
import subprocess
import sys
from collections.abc import Callable
from typing import Any

TORCH = """
import json, sys
try:
    import torch
    found = {"version": torch.__version__, "cuda": torch.cuda.is_available(), "file": torch.__file__}
except ImportError as error:
    found = {"error": str(error)}
except Exception as error:
    found = {"error": "%s: %s" % (type(error).__name__, error)}
try:
    import numpy
    found["numpy"] = numpy.__version__
except Exception:
    found["numpy"] = None
sys.stdout.write("\\n" + json.dumps(found))
"""


def told(*words: str, limit_s: float = 60) -> tuple[int, str]:
    """Exit status and output of a command; one that is not there, or hangs, failed."""
    try:
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=limit_s
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return 127, str(error)
    return done.returncode, done.stdout.decode("utf-8", "replace").strip()


def text_of(path: str) -> str | None:
    """A small file's text, None where it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(65536).strip("\0\n ")
    except OSError:
        return None


def sudo() -> str | None:
    """Why there are no rights without a password; None where there are."""
    if os.geteuid() == 0:
        return None
    status, says = told("sudo", "-n", "true")
    return None if status == 0 else (says.splitlines() or ["sudo failed"])[-1]


def torch() -> dict[str, Any]:
    """The torch of this interpreter without the user's own packages, which a service does not see."""
    status, says = told(sys.executable, "-s", "-c", TORCH, limit_s=120)
    try:
        found: dict[str, Any] = json.loads(says.splitlines()[-1])
        return found
    except (ValueError, IndexError):
        return {"error": f"importing it ended with status {status}"}


def has(module: str) -> bool:
    """Whether this interpreter has a module of its own."""
    return told(sys.executable, "-s", "-c", "import " + module)[0] == 0


def systemd() -> int | None:
    """The version of systemd, None where there is none."""
    words = told("systemctl", "--version")[1].split()
    return int(words[1].split(".")[0].split("~")[0]) if words[:1] == ["systemd"] else None


def known(names: list[str], lookup: Callable[[str], object]) -> list[str]:
    """Which of the names there are."""
    found = []
    for name in names:
        try:
            lookup(name)
            found.append(name)
        except KeyError:
            continue
    return found


def sha256(path: str) -> str | None:
    """The hash of a file's content, None where there is none that can be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except OSError:
        return None


def below(folder: str) -> list[str]:
    """The paths in a folder, none where there is no such folder."""
    try:
        return sorted(os.path.join(folder, name) for name in os.listdir(folder))
    except OSError:
        return []


def installed(asked: dict[str, Any]) -> dict[str, Any]:
    """What an earlier deployment left."""
    try:
        manifest = json.loads(text_of(asked["manifest"]) or "{}")
    except ValueError:
        manifest = {}
    files = {path: sha256(path) for path in [*asked["files"], *manifest.get("files", [])]}
    publics = [path for path in below(asked["keys"]) if path.endswith(".public")]
    releases = below(asked["releases"])
    return {
        "release": os.path.basename(os.readlink(asked["current"])) if os.path.islink(asked["current"]) else None,
        "complete": [os.path.basename(it) for it in releases if os.path.exists(os.path.join(it, asked["complete"]))],
        "name": manifest.get("name"),
        "connect": manifest.get("connect"),
        "options": manifest.get("options"),
        "files": {path: found for path, found in files.items() if found},
        "keys": {path: text_of(path) or "" for path in publics},
        "places": [path for path in asked["places"] if os.path.lexists(path)],
    }


def main(asked: dict[str, Any]) -> None:
    """Look, and say what was found."""
    free = "/opt" if os.path.isdir("/opt") else "/"
    release = text_of("/etc/nv_tegra_release")
    facts = {
        "user": getpass.getuser(),
        "uid": os.geteuid(),
        "sudo": sudo(),
        "host": platform.node(),
        "machine": platform.machine(),
        "board": text_of("/proc/device-tree/model"),
        "jetpack": release.splitlines()[0] if release else None,
        "python": sys.executable,
        "prefix": sys.base_prefix,
        "python_version": list(sys.version_info[:3]),
        "venv": has("venv"),
        "pip": has("pip"),
        "torch": torch() if sys.version_info >= (3, 10) else {"error": "not looked for"},
        "systemd": systemd(),
        "booted": os.path.isdir("/run/systemd/system"),
        "groups": known(asked["groups"], grp.getgrnam),
        "agent_user": bool(known([asked["user"]], pwd.getpwnam)),
        "rsync": bool(shutil.which("rsync")),
        "tc": bool(shutil.which("tc", path="/usr/sbin:/usr/bin:/sbin:/bin")),
        "free_bytes": shutil.disk_usage(free).free,
        "installed": installed(asked),
    }
    sys.stdout.write(f"\n{asked['mark']}{json.dumps(facts)}\n")
