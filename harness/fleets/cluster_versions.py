"""What decides the bits that are learned on a machine: versions of packages, and the source of this one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from harness.errors import UsageError
from harness.fleets.cluster_ray import Node
from harness.fleets.cluster_wire import Versions, versions_of

PACKAGES = ("federa-bench", "torch", "transformers", "peft", "numpy", "safetensors")
SOURCE = Path(__file__).parent.parent


def versions() -> Versions:
    """What this machine has."""
    digest = hashlib.sha256()
    for path in sorted(SOURCE.rglob("*.py")):
        digest.update(path.relative_to(SOURCE).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return Versions(packages={name: _version(name) for name in PACKAGES}, sources=digest.hexdigest()[:12])


def check_versions(told: Mapping[Node, bytes | Exception]) -> None:
    """See that all nodes have what this machine has, by what they told, packed; an error where they told nothing.

    Raises:
        UsageError: one has not; the sentence says what differs.
    """
    own = versions()
    for node, answer in told.items():
        if isinstance(answer, Exception):
            raise UsageError(
                f"node {node.host} of the Ray cluster cannot run federa-bench ({answer}); install the version of this "
                "machine there, in the Python that Ray was started with"
            )
        if (found := versions_of(answer)) != own:
            raise UsageError(f"node {node.host} of the Ray cluster has {_difference(found, own)}; install the same")


def fit(told: bytes | Exception) -> bool:
    """Whether a node told, packed, that it has what this machine has."""
    return not isinstance(told, Exception) and versions_of(told) == versions()


def _difference(found: Versions, own: Versions) -> str:
    for name, wanted in own.packages.items():
        if found.packages.get(name) != wanted:
            return f"{name} {found.packages.get(name) or 'not at all'}, and this machine {wanted or 'not at all'}"
    return f"other source files of federa-bench ({found.sources}) than this machine ({own.sources})"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
