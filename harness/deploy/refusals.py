"""Why a device cannot be set up, in one sentence that says what to do. Pure."""

from __future__ import annotations

import base64
import hashlib

from harness.deploy import places
from harness.deploy.facts import Facts
from harness.deploy.wish import Wish
from harness.errors import DeployError
from harness.keys.keyfile import Named

PYTHON = (3, 10)
OLDEST_SYSTEMD = 245
NEEDED_BYTES = 1024**3
"""A virtual environment without torch takes 0.22 GB; an upgrade has two of them, and wheels beside them."""


def refuse(wish: Wish, facts: Facts, controller: Named | None = None) -> None:
    """Raise what stands in the way, where something does.

    Raises:
        DeployError: the first thing that has to be mended on the device, or said otherwise.
    """
    for reason in (_rights(facts), _python(wish, facts), _system(facts), _torch(wish, facts), _room(facts)):
        if reason:
            raise DeployError(f"{wish.host}: {reason}")
    for reason in (_other_agent(wish, facts), _address(wish), _other_controller(wish, facts, controller)):
        if reason:
            raise DeployError(f"{wish.host}: {reason}")


def refuse_removal(wish: Wish, facts: Facts) -> None:
    """Raise where an agent cannot be taken away. What a device calls itself revokes nobody: the user says the name.

    Raises:
        DeployError: the user there has no rights, or another agent is there.
    """
    for reason in (_rights(facts), _other_agent(wish, facts)):
        if reason:
            raise DeployError(f"{wish.host}: {reason}")


def _rights(facts: Facts) -> str | None:
    if facts.sudo is None:
        return None
    return (
        f"{facts.user} may not become root without a password ({facts.sudo}); allow it there with: "
        f"echo '{facts.user} ALL=(ALL) NOPASSWD: ALL' | sudo tee /etc/sudoers.d/{facts.user}"
    )


def _python(wish: Wish, facts: Facts) -> str | None:
    version = ".".join(map(str, facts.python_version))
    if facts.python_version[:2] < PYTHON:
        return (
            f"{facts.python} is Python {version}, and 3.10 is the oldest that works; give a newer one with "
            "--python, or install JetPack 6"
        )
    if not facts.venv:
        return f"its Python {version} has no venv; install it there: sudo apt-get install python3-venv"
    return None


def _system(facts: Facts) -> str | None:
    if facts.systemd is None or not facts.booted:
        return "systemd does not run there, and an agent is a service of it; start agents by hand: federa-bench agent"
    if facts.systemd < OLDEST_SYSTEMD:
        return f"its systemd {facts.systemd} is older than {OLDEST_SYSTEMD}; install a newer JetPack"
    if not facts.rsync:
        return "there is no rsync; install it there: sudo apt-get install rsync"
    return None


def _torch(wish: Wish, facts: Facts) -> str | None:
    if facts.torch.version or wish.torch_from_index:
        return None
    return (
        f"{facts.python} there imports no torch ({facts.torch.error}); on a Jetson install NVIDIA's build for its "
        "JetPack, for all users (docs/deploy.md), elsewhere give --torch-from-index"
    )


def _room(facts: Facts) -> str | None:
    if facts.free_bytes >= NEEDED_BYTES:
        return None
    return f"/opt has {facts.free_bytes / 1e9:.1f} GB free, and {NEEDED_BYTES / 1e9:.1f} GB are needed; free some"


def _other_agent(wish: Wish, facts: Facts) -> str | None:
    there = facts.installed.name
    if there in (None, wish.name):
        return None
    return (
        f"the agent {there} is deployed there, not {wish.name}; say --name {there}, or remove that one first (--remove)"
    )


def _address(wish: Wish) -> str | None:
    if wish.connect:
        return None
    return "it was told no controller yet; give --controller tcp://HOST:PORT"


def _other_controller(wish: Wish, facts: Facts, controller: Named | None) -> str | None:
    """A key is who one is: a device that trusts another controller changes sides only if that is meant."""
    words = facts.installed.keys.get(places.CONTROLLER_KEY, "").split()
    if controller is None or len(words) != 2 or words[1] == controller.key or wish.new_controller_key:
        return None
    return (
        f"it trusts a controller with the key {fingerprint(words[1])}, and the one here is "
        f"{fingerprint(controller.key)}; if that is meant to change: --new-controller-key"
    )


def fingerprint(key: str) -> str:
    """A public key in few characters, for people to compare: ``SHA256:`` and 43, as ssh shows its keys."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key.encode()).digest()).decode().rstrip("=")
