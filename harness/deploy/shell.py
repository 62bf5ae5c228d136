"""ssh and rsync to one device, over one shared connection. Never asks, and never bypasses a host key."""

from __future__ import annotations

import os
import selectors
import shlex
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO

from harness.deploy.steps import Run, Send, remote, sending, whole
from harness.deploy.trouble import LOST, trouble
from harness.errors import DeployError

STRICT = {
    "BatchMode": "yes",  # never asks: for ten boards nobody would see it
    "StrictHostKeyChecking": "yes",
    "ConnectTimeout": "10",
    "ServerAliveInterval": "15",
    "ServerAliveCountMax": "4",
    "ClearAllForwardings": "yes",
    "ForwardAgent": "no",
    "ForwardX11": "no",
    "PermitLocalCommand": "no",
    "LogLevel": "ERROR",
}


LOGIN_S = 60.0
MOST_BYTES = 4 * 1024**2
"""Of what a device says to one command; more is no answer, and memory is not for it."""
IDLE_S = 60
"""A connection over which nothing is done for so long is closed."""


class StepFailedError(DeployError):
    """A step failed on the device; ``output`` is what it said there."""

    def __init__(self, sentence: str, output: str = "") -> None:
        super().__init__(sentence)
        self.output = output


def options(config: Path | None) -> list[str]:
    """The options of ssh that count for every connection; ``config`` stands in place of ~/.ssh/config."""
    chosen = [word for name, value in STRICT.items() for word in ("-o", f"{name}={value}")]
    return [*(["-F", str(config)] if config else []), *chosen]


class Connection:
    """One device, logged in. Use it as a context: the connection is opened at once, and closed at the end.

    Raises:
        DeployError: ssh cannot log in, or is not installed here.
    """

    def __init__(self, host: str, config: Path | None = None) -> None:
        self.host = host
        self._folder = tempfile.TemporaryDirectory(prefix="fb-", ignore_cleanup_errors=True)
        self.folder = Path(self._folder.name)
        self._shared = [*options(config), "-o", f'ControlPath="{str(self.folder).replace("%", "%%")}/c"']

    def __enter__(self) -> Connection:
        try:
            self._log_in()
        except BaseException:
            self._folder.cleanup()
            raise
        return self

    def _log_in(self) -> None:
        # It goes to the background once it is logged in, so its output is no pipe, whose end would never come.
        with tempfile.TemporaryFile() as said:
            kept = ["-o", "ControlMaster=yes", "-o", f"ControlPersist={IDLE_S}"]
            words = ["ssh", *self._shared, *kept, "-T", "--", self.host, "true"]
            done = _run(words, b"", LOGIN_S, self.host, output=said)
            said.seek(0)
            text = said.read(MOST_BYTES).decode("utf-8", "replace")
        if done.returncode:
            raise DeployError(trouble(self.host, text))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        subprocess.run(["ssh", *self._shared, "-O", "exit", "--", self.host], capture_output=True, check=False)
        self._folder.cleanup()

    def ask(self, words: Sequence[str], data: str, limit_s: float) -> str:
        """Start a command there with this standard input; what it printed.

        Raises:
            DeployError: the connection broke, or it took too long.
            StepFailedError: the command failed.
        """
        line = ["ssh", *self._shared, "-T", "--", self.host, shlex.join(words)]
        done = _run(line, data.encode(), limit_s, self.host)
        output = done.stdout.decode("utf-8", "replace")
        if done.returncode == LOST:
            raise DeployError(trouble(self.host, output))
        if done.returncode:
            raise StepFailedError(f"{self.host}: {words[0]} ended with status {done.returncode}", output)
        return output

    def run(self, step: Run, *, is_root: bool) -> str:
        """Carry out a script there; what it printed.

        Raises:
            DeployError: as :meth:`ask`.
        """
        return self.ask(remote(step, is_root=is_root), whole(step.script), step.limit_s)

    def send(self, step: Send, *, is_root: bool) -> None:
        """Send files there, owned by root.

        Raises:
            DeployError: the connection broke, or a file could not be sent.
        """
        words = sending(step, self.host, ["ssh", *self._shared], is_root=is_root)
        done = _run(words, b"", step.limit_s, self.host)
        if done.returncode:
            output = done.stdout.decode("utf-8", "replace")
            raise StepFailedError(f"{self.host}: rsync ended with status {done.returncode}", output)


def _run(
    words: Sequence[str], data: bytes, limit_s: float, host: str, output: int | IO[bytes] = subprocess.PIPE
) -> subprocess.CompletedProcess[bytes]:
    late = f"{host}: no answer within {limit_s:.0f} s; see that it is well, then deploy again"
    end_s = time.monotonic() + limit_s
    with tempfile.TemporaryFile() as asked:  # not a pipe: nobody waits for anybody to read
        asked.write(data)
        asked.seek(0)
        try:
            process = subprocess.Popen(words, stdin=asked, stdout=output, stderr=subprocess.STDOUT)
        except FileNotFoundError:
            raise DeployError(
                f"there is no {words[0]} here; install it: apt-get install openssh-client rsync"
            ) from None
    with process:
        try:
            said = _read(process.stdout, end_s, host) if process.stdout else b""
            process.wait(max(0.0, end_s - time.monotonic()))
        except (TimeoutError, subprocess.TimeoutExpired):
            raise DeployError(late) from None
        finally:
            process.kill()
    return subprocess.CompletedProcess(words, process.returncode, said)


def _read(stream: IO[bytes], end_s: float, host: str) -> bytes:
    """All of a pipe, as far as it comes in time.

    Raises:
        DeployError: it is too much.
        TimeoutError: it does not end.
    """
    said = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while selector.select(max(0.0, end_s - time.monotonic())):
            piece = os.read(stream.fileno(), 65536)
            if not piece:
                return bytes(said)
            said += piece
            if len(said) > MOST_BYTES:
                raise DeployError(
                    f"{host}: it says more than {MOST_BYTES >> 20} MiB to one command; see that it is well"
                )
    raise TimeoutError
