"""What pip installs beside the device's own torch, and what it must leave alone. Pure.

torch is never asked for: JetPack's build calls itself 2.x.0a0+nv, which counts as older than 2.x, so that pip would put
another in its place, one without CUDA. What needs torch finds that of the device, and a constraint holds its version.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.deploy.facts import Facts
from harness.errors import DeployError

TORCH, NUMPY = "torch", "numpy"
EXTRA = "agent"
_REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9._-]+)\s*(?P<rest>[^;]*)(;\s*(?P<marker>.*))?")
_EXTRA = re.compile(r"""\(?(?P<before>.*?)\)?\s*(?:and\s*)?\bextra == ['"](?P<extra>[^'"]+)['"]""")


@dataclass(frozen=True)
class Requirements:
    """Two files for pip: what to install, and which versions are allowed."""

    wanted: str
    constraints: str


def requirements(
    metadata: Iterable[str], pinned: Iterable[str], facts: Facts, *, torch_from_index: bool
) -> Requirements:
    """What an agent needs on this device.

    ``metadata`` are the values of the wheel's Requires-Dist, ``pinned`` the lines of constraints.txt.
    ``torch_from_index``: pip may install a torch, where the device has none.
    """
    own = facts.torch.version
    left_alone = {TORCH} if own or not torch_from_index else set()
    held = [f"{TORCH}=={own}"] if own else []
    if own and (major := _major(facts.torch.numpy)) is not None:
        # torch was built against that major version, and does not share arrays with another
        left_alone_pins = {*left_alone, NUMPY}
        held.append(f"{NUMPY}>={major},<{major + 1}")
    else:
        left_alone_pins = left_alone
    wanted = [line for line in map(_wanted, metadata) if line and plain_name(line) not in left_alone]
    pins = [line.strip() for line in pinned if line.strip() and not line.startswith("#")]
    kept = [line for line in pins if plain_name(line) not in left_alone_pins]
    return Requirements(_lines(wanted), _lines([*kept, *held]))


def identity(parts: Mapping[str, bytes]) -> str:
    """The name of a release: twelve digits that follow from all that goes into it."""
    digest = hashlib.sha256()
    for name, data in sorted(parts.items()):
        digest.update(f"{name} {len(data)}\n".encode())
        digest.update(data)
    return digest.hexdigest()[:12]


def _wanted(requirement: str) -> str | None:
    """A requirement of the agent as pip reads it in a file; None for another extra's."""
    name, _, marker = (part.strip() for part in requirement.partition(";"))
    if not (found := _EXTRA.fullmatch(marker)):
        return f"{name}; {marker}" if marker else name
    if found["extra"] != EXTRA:
        return None
    return f"{name}; {found['before']}" if found["before"] else name


def plain_name(line: str) -> str:
    """The name in a requirement, as pip compares names.

    Raises:
        DeployError: it begins with none.
    """
    found = _REQUIREMENT.match(line)
    if not found:
        raise DeployError(f"{line!r} is no requirement that pip knows; mend the package's metadata or constraints.txt")
    return re.sub(r"[-_.]+", "-", found["name"]).lower()


def _major(version: str | None) -> int | None:
    found = re.match(r"\d+", version or "")
    return int(found.group()) if found else None


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
