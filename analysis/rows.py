"""What the records of several tables have in common; pure."""

from __future__ import annotations

from analysis.load import Run
from analysis.rendering import Record, Value


def named(run: Run) -> Record:
    """What every record of a run starts with."""
    return {"run": run.header.run_id, "method": run.header.method, "seed": run.header.seed}


def number(value: Value) -> float | None:
    """A record's value as a number; None where it is none."""
    return None if value is None or isinstance(value, str) else float(value)
