"""The plan of a deployment: from what is wanted and what was found on a device to steps, as few as are needed. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from harness.deploy import places, scripts
from harness.deploy.facts import Facts
from harness.deploy.steps import Allow, Run, Send, Step
from harness.deploy.wish import Wish
from harness.keys.keyfile import Named

OF_THE_SERVICE = (f"{places.UNITS}/{places.AGENT_UNIT}", places.ENVIRONMENT, places.CONTROLLER_KEY)
"""An agent has to start again where one of these changed."""


@dataclass(frozen=True)
class Parcel:
    """What goes to this device."""

    release: str
    files: tuple[str, ...]
    """Paths here, to be sent: the wheel, its requirements, perhaps pip and a wheelhouse."""
    wheel: str
    """The wheel's file name."""
    pip: str | None
    """The file name of pip's wheel; None where the device's own is used."""
    wheelhouse: bool
    texts: Mapping[str, str]
    """Units, the user's file and the environment, by path on the device."""


@dataclass(frozen=True)
class Plan:
    """Steps, and how to take them back where one of the last ones fails."""

    steps: tuple[Step, ...]
    undo: Run | None = None
    undo_from: str = "start"
    """The undo is for this step and those after it; before it the old agent runs on, untouched."""


def deployment(wish: Wish, facts: Facts, parcel: Parcel, controller: Named, allowed: Mapping[str, str]) -> Plan:
    """Everything that has to be done on this device, in order; on one that is as it should be, hardly anything.

    ``allowed`` are the devices that the controller allows: names by public key.
    """
    texts = {**parcel.texts, places.CONTROLLER_KEY: f"{controller.line}\n"}
    texts[places.MANIFEST] = manifest(wish, parcel, texts)
    changed = {path: text for path, text in texts.items() if facts.installed.files.get(path) != sha256(text)}
    fresh = parcel.release not in facts.installed.complete
    switched = parcel.release != facts.installed.release
    keyless = places.public_of(wish.name) not in facts.installed.keys
    again = switched or keyless or any(path in changed for path in OF_THE_SERVICE)
    user = not facts.agent_user or places.USER_FILE in changed
    steps: list[Step] = []
    if changed or fresh or keyless:
        steps.append(Run("folders", scripts.folders()))
    if user:
        steps.append(Run("user", scripts.user(texts[places.USER_FILE])))
    if fresh:
        steps += _packages(wish, facts, parcel)
    if keyless:
        steps.append(Run("keys", scripts.new_key(wish.name, parcel.release, by_root=(facts.systemd or 0) >= 247)))
    if not _is_allowed(wish.name, facts, allowed):
        steps.append(Allow("allow", wish.name, places.public_of(wish.name)))
    shaper = again or f"{places.UNITS}/{places.SHAPER_UNIT}" in changed
    begun = scripts.start(wish.name, again=again, shaper=facts.tc, shaper_again=shaper)
    if changed or switched:
        # one script: a connection that breaks in between leaves no old agent running under a new release
        begun = scripts.install(changed, parcel.release, facts.installed.release) + "\n" + begun
    steps.append(Run("start", begun, limit_s=120))
    steps.append(Run("ready", scripts.ready(wish.name), limit_s=scripts.READY_S + 30))
    if changed or fresh or switched:
        steps.append(Run("tidy", scripts.tidy(parcel.release, facts.installed.release)))
    return Plan(tuple(steps), _undo(wish, facts) if changed or switched else None)


def _packages(wish: Wish, facts: Facts, parcel: Parcel) -> list[Step]:
    made = scripts.packages(facts.python, parcel.release, parcel.wheel, parcel.pip, wheelhouse=parcel.wheelhouse)
    return [
        Send("send", parcel.files, places.INCOMING),
        Run("packages", made, limit_s=3600),
        Run("check", scripts.check(parcel.release, facts.torch.version), limit_s=300),
    ]


def _is_allowed(name: str, facts: Facts, allowed: Mapping[str, str]) -> bool:
    """Whether the key that the device has is allowed by this name already."""
    words = facts.installed.keys.get(places.public_of(name), "").split()
    return len(words) == 2 and allowed.get(words[1]) == name


def _undo(wish: Wish, facts: Facts) -> Run | None:
    """Back to the release and the files from before; None where there was nothing before."""
    before = facts.installed.release
    return Run("undo", scripts.undo(wish.name, before), limit_s=120) if before else None


def manifest(wish: Wish, parcel: Parcel, texts: Mapping[str, str]) -> str:
    """What stands on the device about its deployment; it holds no secret."""
    told: dict[str, object] = {
        "name": wish.name,
        "connect": wish.connect,
        "options": wish.options,
        "release": parcel.release,
    }
    told["files"] = sorted(texts)
    return json.dumps(told, indent=1) + "\n"


def sha256(text: str) -> str:
    """The hash by which a file of the device is known to be as it should."""
    return hashlib.sha256(text.encode()).hexdigest()
