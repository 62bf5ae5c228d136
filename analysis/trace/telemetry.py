"""Reads the watts of ``telemetry.parquet``, which a controller leaves in its run folder."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from analysis.trace.power import Power
from analysis.trace.spans import FARTHEST_S
from harness.errors import StoreError

TELEMETRY = "telemetry.parquet"
AGENT, RUN_S = "agent", "run_s"
TOTAL, RAIL, WATTS = "total_w", "rail_", "_w"


def read_power(folder: Path) -> dict[str, Power]:
    """The power of each agent of a run, in the order of time; empty where the run recorded none.

    Samples whose moment on the run's clock is not known, or none of any run, are left out.

    Raises:
        StoreError: the file cannot be read, or is no table of samples.
    """
    path = folder / TELEMETRY
    if not path.exists():
        return {}
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        names = pq.read_schema(path).names
        columns = [name for name in names if name == TOTAL or (name.startswith(RAIL) and name.endswith(WATTS))]
        table = pq.read_table(path, columns=[AGENT, RUN_S, *columns]).select([AGENT, RUN_S, *columns])
        table = table.cast(pa.schema({AGENT: pa.string(), **dict.fromkeys((RUN_S, *columns), pa.float64())}))
        table = table.sort_by([(RUN_S, "ascending")])
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        raise StoreError(f"{path} cannot be read ({error}); restore it from a copy, or delete it") from None
    rows: dict[str, list[int]] = {}
    agents, run_s = table[AGENT].to_pylist(), table[RUN_S].to_pylist()
    for place, (agent, at_s) in enumerate(zip(agents, run_s, strict=True)):
        if agent is not None and at_s is not None and abs(at_s) <= FARTHEST_S:  # nor is NaN
            rows.setdefault(agent, []).append(place)
    watts: dict[str, list[float | None]] = {name: _finite(table[name].to_pylist()) for name in columns}
    return {
        agent: Power(
            tuple(run_s[place] for place in places),
            {
                _rail(name): tuple(values[place] for place in places)
                for name, values in watts.items()
                if any(values[place] is not None for place in places)
            },
        )
        for agent, places in rows.items()
    }


def _finite(values: list[Any]) -> list[float | None]:
    """What is no number counts as not read: no viewer draws it, and no JSON has it."""
    return [value if value is not None and math.isfinite(value) else None for value in values]


def _rail(column: str) -> str:
    return "total" if column == TOTAL else column.removeprefix(RAIL).removesuffix(WATTS)
