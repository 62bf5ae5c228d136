"""One thing to do in a deployment, as data: a script for the device, files to send there, a key to allow here. And the
command that each of them is, for the shell that runs it and for people who want to read it before. Pure.

A script goes to a shell's standard input, never onto a command line, and stands in a function that is called at its
end: a connection that breaks half-way leaves a script that did nothing. Every word that is not ours is quoted.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

SHELL = ("sh",)
SUDO = ("sudo", "-n", "--")
END = "END_OF_STEP"
"""Ends a script that is shown."""
_BEGIN = "set -eu\numask 022\nexport LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin\ncd /\n"


@dataclass(frozen=True)
class Run:
    """Run a script on the device, as root or as the user who logs in."""

    name: str
    script: str
    root: bool = True
    limit_s: float = 60.0


@dataclass(frozen=True)
class Send:
    """Send local files into a folder of the device that root owns; what is not among them is removed there."""

    name: str
    sources: tuple[str, ...]
    target: str
    limit_s: float = 1800.0


@dataclass(frozen=True)
class Allow:
    """Read the device's public key and allow it at the controller, that is here."""

    name: str
    agent: str
    path: str
    limit_s: float = 60.0


@dataclass(frozen=True)
class Revoke:
    """Allow the device no more at the controller, that is here."""

    name: str
    agent: str


Step = Run | Send | Allow | Revoke


def line(*words: str) -> str:
    """A command as a line of a script, each word quoted where it needs to be."""
    return shlex.join(words)


def write(path: str, text: str, mode: str = "0644") -> str:
    """Lines that replace a file in one step; ``text`` is no secret, for it stands in the script."""
    part = f"{path}.part"
    return "\n".join(
        (
            f"printf %s {shlex.quote(text)} > {shlex.quote(part)}",
            line("chmod", mode, part),
            line("mv", "-fT", part, path),
        )
    )


def whole(script: str) -> str:
    """A script as the device's shell gets it: all of it or nothing, with errors that end it, and no input of its own.

    Where it fails it says so; the exit status is that of the command that failed.
    """
    return f"{_BEGIN}main() {{\n{script}\n}}\nmain </dev/null\n"


def remote(step: Run, *, is_root: bool) -> tuple[str, ...]:
    """The words that ssh starts on the device; the script comes by standard input."""
    return (*SUDO, *SHELL) if step.root and not is_root else SHELL


def shown(steps: Sequence[Step], host: str, *, is_root: bool) -> str:
    """All steps, numbered; what could be typed, line by line."""
    return "\n".join(
        f"# {number}. {step.name}\n{_command(step, host, is_root=is_root)}\n" for number, step in enumerate(steps, 1)
    )


def _command(step: Step, host: str, *, is_root: bool) -> str:
    if isinstance(step, Run):
        words = shlex.join(["ssh", "-T", "--", host, *remote(step, is_root=is_root)])
        return f"{words} <<'{END}'\n{whole(step.script)}{END}"
    if isinstance(step, Send):
        return shlex.join(sending(step, host, ["ssh"], is_root=is_root))
    if isinstance(step, Allow):
        return f"{shlex.join(['ssh', '-T', '--', host, 'cat', step.path])} > {step.agent}.public\n" + shlex.join(
            ["federa-bench", "keys", "allow", f"{step.agent}.public"]
        )
    if isinstance(step, Revoke):
        return shlex.join(["federa-bench", "keys", "revoke", step.agent])
    raise TypeError(step)


def sending(step: Send, host: str, ssh: Sequence[str], *, is_root: bool) -> list[str]:
    """The command line of rsync for a step: in place of what was there, and never half a file under its name."""
    there = shlex.join(["rsync"] if is_root else [*SUDO, "rsync"])
    kinds = ["--recursive", "--copy-links", "--times", "--chmod=D755,F644", "--delete", "--delay-updates"]
    user, at, bare = host.rpartition("@")
    address = f"{user}{at}[{bare}]" if ":" in bare else host
    return [
        "rsync",
        *kinds,
        f"--rsync-path={there}",
        "-e",
        shlex.join([*ssh, "-T"]),
        "--",
        *step.sources,
        f"{address}:{step.target}/",
    ]
