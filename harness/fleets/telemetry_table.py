"""All samples of a run as one table, ``telemetry.parquet``: made of the files that were appended to.

Columns: ``agent``, ``source``, ``at_s`` (the agent's own monotonic clock), ``run_s`` (the run's clock; null where the
two were never compared), then the fields of all sources in the order of their names; null: not read. Rows of an agent
stand in the order in which they came.

It is made by a process of its own, ``python -m harness.fleets.telemetry_table RUN``: what writes tables takes more
memory than a controller has.
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from harness.durable import unwritten, written_whole
from harness.fleets.agent_clock import AgentClock
from harness.fleets.telemetry_claims import FIRST_FIELD, OWN_COLUMNS
from harness.fleets.telemetry_files import FOLDER, Begun, Compared, Samples, files_of, lines_of

log = logging.getLogger(__name__)

TABLE = "telemetry.parquet"
COMMAND = (sys.executable, "-m", "harness.fleets.telemetry_table")
GROUP_ROWS = 5_000
"""So many rows are held at once: with the most fields that two agents may have, 16 MB of numbers."""


class Survey(NamedTuple):
    """What the files of a run hold: the fields, and the clocks of each agent, one for each time it came."""

    fields: tuple[str, ...]
    clocks: dict[str, list[AgentClock]]


def tabulate(run: Path) -> None:
    """Have the table of a run written, if there are samples.

    Raises:
        StoreError: it could not be written; what it is made of is kept, and a resume makes it.
    """
    if not files_of(run):
        return
    done = subprocess.run([*COMMAND, str(run)], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        if done.stderr:
            log.warning("%s", done.stderr.strip())
        return
    number = int(done.stdout) if done.stdout.isdecimal() else 0
    error = OSError(number, os.strerror(number) if number else _last_line(done.stderr))
    raise unwritten(run / TABLE, error, str(run))


def main(run: Path) -> int:
    """The process that writes it: 1 with the number of the system's error on stdout where it cannot be written."""
    try:
        write_table(run)
    except OSError as error:
        sys.stdout.write(str(error.errno))
        return 1
    return 0


def _last_line(said: str) -> str:
    return said.strip().rpartition("\n")[2] or "the process that writes it was killed"


def write_table(run: Path) -> Path | None:
    """Write the table of a run; where it is, None where there are no samples, or nothing here can write one.

    Raises:
        OSError: it could not be written; the files it is made of are as they were.
    """
    survey = survey_of(run)
    if not survey.fields:
        return None
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        log.warning("%s is not made: pyarrow is missing; install federa-bench[controller]", run / TABLE)
        return None
    numbers = (FIRST_FIELD, "run_s", *survey.fields)
    schema = pyarrow.schema(
        [("agent", pyarrow.string()), ("source", pyarrow.string()), *((name, pyarrow.float64()) for name in numbers)]
    )
    with written_whole(run / TABLE, synced=True) as partial, parquet.ParquetWriter(partial, schema) as writer:
        for columns in _groups(_blocks(run, survey), schema.names):
            writer.write_table(pyarrow.table(columns, schema=schema))
    return run / TABLE


def remove_files(run: Path) -> None:
    """Remove what the table was made of, once it is there."""
    if (run / TABLE).exists():
        shutil.rmtree(run / FOLDER, ignore_errors=True)


def survey_of(run: Path) -> Survey:
    """Read the files once, for what has to be known before the first row."""
    fields: set[str] = set()
    clocks: dict[str, list[AgentClock]] = {}
    for agent, path in files_of(run).items():
        clocks[agent] = [AgentClock(0.0)]
        for line in lines_of(path):
            match line:
                case Begun():
                    clocks[agent].append(AgentClock(line.since_s))
                case Compared():
                    clocks[agent][-1].compared(line.at_s, line.offset)
                case Samples() if line.rows:
                    fields.update(line.fields)
    return Survey(tuple(sorted(fields - {FIRST_FIELD, *OWN_COLUMNS})), clocks)


def _blocks(run: Path, survey: Survey) -> Iterator[dict[str, list[Any]]]:
    """The samples of each message, as columns by name; a field that the message has not is not among them."""
    for agent, path in files_of(run).items():
        clocks = iter(survey.clocks[agent])
        clock = next(clocks)
        for line in lines_of(path):
            if isinstance(line, Begun):
                clock = next(clocks)
            elif isinstance(line, Samples) and line.rows:
                columns: dict[str, list[Any]] = {
                    field: list(values) for field, values in zip(line.fields, zip(*line.rows, strict=True), strict=True)
                }
                columns["run_s"] = [clock.run_s(at_s) for at_s in columns[FIRST_FIELD]]
                columns["agent"] = [agent] * len(line.rows)
                columns["source"] = [line.source] * len(line.rows)
                yield columns


def _groups(blocks: Iterable[dict[str, list[Any]]], names: list[str]) -> Iterator[dict[str, list[Any]]]:
    """Blocks put together, at least ``GROUP_ROWS`` rows each but for the last, every column in every one."""
    group: dict[str, list[Any]] = {name: [] for name in names}
    for block in blocks:
        rows = len(block[FIRST_FIELD])
        for name in names:
            group[name] += block.get(name) or [None] * rows
        if len(group[FIRST_FIELD]) >= GROUP_ROWS:
            yield group
            group = {name: [] for name in names}
    if group[FIRST_FIELD]:
        yield group


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
