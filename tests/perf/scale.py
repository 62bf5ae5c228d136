"""``make scale``: drives the round machine with simulated fleets of 100, 1,000 and 10,000 agents, writes docs/scale.md.

    python tests/perf/scale.py --write docs/scale.md
    python tests/perf/scale.py --agents 100 --rounds 2 --repetitions 1       prints it only

What a client takes of the controller's processor, and how fast updates become a mean, is taken from
docs/performance.json (benchmarks c and d), where `make perf` has stored it. The rest is measured here, each part in a
process of its own: some minutes.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from statistics import median

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)  # not this folder: its modules are perf.base and so on

import msgspec
from perf import scale_page, store, walls
from perf.base import Figure
from perf.bench_c_agents import with_states_of
from perf.store import Book, Place
from perf.weather import Weather

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SIZES = (100, 1_000, 10_000)
BEYOND = (1_000, 10_000, 100_000)
PARTS = ("live", "recover", "memory")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--agents", type=int, nargs="+", default=SIZES)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--performance", type=Path, default=ROOT / "docs" / "performance.json", metavar="FILE")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put it between this document's markers")
    asked = parser.parse_args(arguments)
    book = store.read(asked.performance)
    if shell_s_of(book, Weather().state_bytes) is None:
        print(f"scale: {walls.NO_SHELL}", file=sys.stderr)
    fleets = [measured(agents, asked.rounds, asked.repetitions) for agents in asked.agents]
    text = section(fleets, book, Place.here(), datetime.now(timezone.utc))
    if asked.write is None:
        print(text)
        return 0
    try:
        asked.write.write_text(scale_page.placed(asked.write.read_text(encoding="utf-8"), text), encoding="utf-8")
    except (OSError, ValueError) as error:
        print(f"scale: {asked.write} was not written: {error}", file=sys.stderr)
        return 1
    print(f"scale: {asked.write}")
    return 0


def measured(agents: int, rounds: int, repetitions: int) -> walls.Fleet:
    """One size of fleet: the medians of what its processes tell.

    Raises:
        subprocess.CalledProcessError: one of them failed; it has said why.
    """
    told: list[dict[str, float]] = []
    for number in range(1, repetitions + 1):
        print(f"{agents} agents, {number} of {repetitions}", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory() as folder:
            parts = [_part(part, agents, rounds, folder) for part in PARTS]
        told.append({key: value for part in parts for key, value in part.items()})
    counts = ("events", "updates", "events_bytes")
    figures = {key: median(one[key] for one in told) for key in told[0]}
    figures |= {key: int(figures[key]) for key in counts}
    return msgspec.convert({"agents": agents, "rounds": rounds, **figures}, walls.Fleet)


def _part(part: str, agents: int, rounds: int, folder: str) -> dict[str, float]:
    words = [part, "--agents", str(agents), "--rounds", str(rounds), "--folder", folder]
    done = subprocess.run([sys.executable, str(HERE / "scale_probe.py"), *words], stdout=subprocess.PIPE, check=True)
    return msgspec.json.decode(done.stdout, type=dict[str, float])


def section(fleets: Sequence[walls.Fleet], book: Book, place: Place, at: datetime) -> str:
    """All of the document that is measured or follows from it."""
    means, state_bytes = walls.Means(), Weather().state_bytes
    shell_s = shell_s_of(book, state_bytes)
    costs = walls.costs_of(fleets[-1], state_bytes, shell_s, aggregate_bytes_per_s_of(book))
    found = walls.walls(costs, means)
    where = f"{place.cores} cores ({place.cpu}), Python {place.python}, commit {place.commit}"
    return "\n\n".join(
        [
            f"Measured on {at:%Y-%m-%d}: {where}{' with changes' if place.changed else ''}, load {place.load:.1f}.",
            "### The machine\n\n" + scale_page.fleets_table(fleets),
            "### The walls of one controller\n\n" + scale_page.walls_table(found),
            f"The first wall in a round is **{_first(found, grows=False)}**, the first one that comes nearer with each "
            f"round is **{_first(found, grows=True)}**.",
            "### Regions\n\n" + scale_page.tree_table(state_bytes, means.link_bps, BEYOND),
        ]
    )


def _first(found: Sequence[walls.Wall], *, grows: bool) -> str:
    return next(wall.name for wall in found if wall.grows == grows)


def shell_s_of(book: Book, state_bytes: int) -> float | None:
    """Seconds of a processor that the controller needs for a client with states of this size, by benchmark c."""
    name = with_states_of(state_bytes)
    return next((one.median / 1e3 for one in _figures(book, "c") if one.name == name), None)


def aggregate_bytes_per_s_of(book: Book) -> float | None:
    """Bytes of updates a second that become a mean, by benchmark d."""
    found = [one for one in _figures(book, "d") if one.unit == "GB/s" and "aggregat" in one.name]
    return found[0].median * 1e9 if found else None


def _figures(book: Book, letter: str) -> tuple[Figure, ...]:
    return next((one.result.figures for one in book.measurements if one.letter == letter), ())


if __name__ == "__main__":
    sys.exit(main())
