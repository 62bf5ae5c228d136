"""What is asked of a device before anything is done there: the script, and how it is started. It changes nothing."""

from __future__ import annotations

import json
from pathlib import Path

from harness.deploy import facts, look, places
from harness.deploy.facts import Facts
from harness.deploy.shell import Connection, StepFailedError
from harness.errors import DeployError

LIMIT_S = 300.0
ASKED = {
    "mark": facts.MARK,
    "manifest": places.MANIFEST,
    "releases": places.RELEASES,
    "current": places.CURRENT,
    "complete": places.COMPLETE,
    "keys": places.KEYS,
    "places": list(places.WHOLE),
    "files": [*places.FILES, places.ENVIRONMENT, places.CONTROLLER_KEY, places.MANIFEST],
    "groups": list(places.GROUPS),
    "user": places.USER,
}


def facts_of(connection: Connection, python: str = "python3") -> Facts:
    """What is found on the device, by its own Python.

    Raises:
        DeployError: it cannot be reached, or has no such Python, or a very old one.
    """
    try:
        return facts.read(connection.ask((python, "-B", "-"), script(), LIMIT_S), connection.host)
    except StepFailedError as failed:
        last = (failed.output.strip().splitlines() or ["it said nothing"])[-1]
        raise DeployError(
            f"{connection.host}: {python} there is missing, or older than 3.7 ({last}); give another one with --python"
        ) from None


def script() -> str:
    """The script with what it is asked, as that Python reads it from its standard input."""
    source = Path(look.__file__).read_text(encoding="utf-8")
    return f"{source}\n\nmain({json.dumps(ASKED)})\n"
