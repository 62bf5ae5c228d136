"""docs/energy.md names every flag, every rail and every source that there is."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from harness.sensors.rails import FAMILIES
from harness.sensors.sampler import SOURCES
from harness.vitals import Flag

PAGE = (Path(__file__).parent.parent / "docs/energy.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ")]


def test_every_flag_has_a_line_of_its_own() -> None:
    for flag in get_args(Flag):
        assert len([row for row in ROWS if row.startswith(f"| {flag} |")]) == 1, flag


def test_every_module_s_total_is_said() -> None:
    for family in FAMILIES:
        row = next(row for row in ROWS if family.model in row)
        assert " + ".join(family.total) in row
        assert all(rail in row for rail in family.inside)


def test_every_source_is_described() -> None:
    for source in SOURCES[1:]:
        assert any(row.startswith(f"| `{source}` |") for row in ROWS), source
