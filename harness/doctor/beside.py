"""Versions of several machines beside each other: those of the controller and of its agents. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harness.doctor.findings import Finding, ok, skipped, warn
from harness.doctor.verdicts.software import numbers

COMPARED = ("python", "federa-bench", "torch", "transformers", "peft", "numpy")
"""What changes results or seconds; the first two numbers of a version count."""

Rows = Sequence[Mapping[str, Any]]
"""Findings as :func:`harness.doctor.as_json` gives them."""


def versions_of(rows: Rows) -> dict[str, str]:
    """The versions that the lines "python" and "packages" carry."""
    values: dict[str, Any] = {}
    for row in rows:
        if row.get("name") in ("python", "packages"):
            values.update(row.get("values") or {})
    return {name: str(values[name]) for name in COMPARED if values.get(name) is not None}


def unlike(reports: Mapping[str, Rows]) -> list[str]:
    """A sentence for each package that is not alike on all machines. ``reports``: findings by machine.

    A machine that does not say its version of a package is left out there.
    """
    versions = {who: versions_of(rows) for who, rows in reports.items()}
    return [sentence for name in COMPARED if (sentence := _apart(name, versions))]


def _apart(name: str, versions: Mapping[str, Mapping[str, str]]) -> str | None:
    told = {who: found[name] for who, found in versions.items() if name in found}
    if len({numbers(version)[:2] for version in told.values()}) < 2:
        return None
    groups: dict[str, list[str]] = {}
    for who, version in told.items():
        groups.setdefault(version, []).append(who)
    return f"{name} is " + ", ".join(f"{version} on {_names(machines)}" for version, machines in groups.items())


def _names(machines: Iterable[str]) -> str:
    names = sorted(machines)
    return ", ".join(names) if len(names) <= 3 else f"{', '.join(names[:2])} and {len(names) - 2} others"


def of_versions(here: Rows, there: Rows, who: str) -> Finding:
    """The line "versions": this machine beside another one, whose findings are at hand."""
    if not versions_of(there):
        return skipped("versions", f"{who} does not tell its versions")
    apart = unlike({"this machine": here, who: there})
    if apart:
        return warn("versions", "; ".join(apart), "install the same on both, or compare their seconds with care")
    return ok("versions", f"as those of {who}")
