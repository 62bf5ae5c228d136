"""The doctor's look at this device: a process of its own, ``python -m agents.examination``, that never holds up a task.

It runs at the lowest priority while the agent is provisioned, and says its findings as JSON on stdout.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

COMMAND = (sys.executable, "-m", "agents.examination")
LONGEST_S = 60.0
"""A doctor that has not come back by then is not waited for."""
MOST_BYTES = 1024 * 1024
NICE = 19


class Examination:
    """One run of the doctor, from ``now_s`` on. ``findings`` are there once it is ``over``; None: it failed.

    Without a command nobody is asked, and there are none.
    """

    def __init__(self, command: Sequence[str], now_s: float) -> None:
        self.findings: list[dict[str, Any]] | None = None
        self._began_s, self._said = now_s, b""
        self._process: subprocess.Popen[bytes] | None = None
        if not command:
            self.findings = []
            return
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                start_new_session=True,
            )
        except OSError:
            return
        assert self._process.stdout is not None
        os.set_blocking(self._process.stdout.fileno(), False)

    @property
    def over(self) -> bool:
        """Whether nothing more will come."""
        return self._process is None

    @property
    def fds(self) -> list[int]:
        """To wait on."""
        return [] if self._process is None or self._process.stdout is None else [self._process.stdout.fileno()]

    def heard(self, ready: set[int], now_s: float) -> None:
        """Take what it says; at its end, or after too long, it is over."""
        for fd in self.fds:
            if fd in ready and self._read(fd):
                self.findings = _findings(self._said)
                self.end()
        if now_s - self._began_s > LONGEST_S:
            self.end()

    def end(self) -> None:
        """Make sure that there is no process."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()

    def _read(self, fd: int) -> bool:
        """Take what is there; whether that was all, or too much."""
        try:
            data = os.read(fd, MOST_BYTES)
        except BlockingIOError:
            return False
        self._said += data
        return not data or len(self._said) > MOST_BYTES


def command_of(root: Path, keys: Path | None, name: str, cache: Path | None) -> tuple[str, ...]:
    """The command that examines the device of agent ``name`` whose files are below ``root``."""
    folders = {"--keys": keys, "--folder": cache}
    given = (word for option, folder in folders.items() if folder is not None for word in (option, str(folder)))
    return (*COMMAND, "--root", str(root), "--name", name, *given)


def _findings(said: bytes) -> list[dict[str, Any]] | None:
    try:
        found = json.loads(said)
    except ValueError:
        return None
    return found if isinstance(found, list) else None


def main(argv: Sequence[str] | None = None) -> int:
    """Examine this device and say the findings."""
    from harness.doctor import as_json, examine

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=Path("/"))
    parser.add_argument("--keys", type=Path)
    parser.add_argument("--name")
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args(argv)
    os.nice(NICE)
    found = examine("agent", root=options.root, keys=options.keys, name=options.name, folder=options.folder)
    json.dump(as_json(found), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
