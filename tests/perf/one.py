"""Measures one benchmark: a process of its own, so that one that breaks, or swells, takes nothing with it.

    python tests/perf/one.py tests/perf/bench_g_svd.py --into g.json --scratch DIR [--quick]

What it does is told on standard error. It ends with 0 and a measurement, or with 1 and the reason, a JSON string.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
import traceback
from datetime import datetime, timezone
from pathlib import Path

sys.path.pop(0)  # this folder: benchmarks find its modules as perf.base, and those of tests beside it
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import msgspec
from perf.base import Pace
from perf.finding import loaded
from perf.store import Measurement, Place


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--into", type=Path, required=True)
    parser.add_argument("--scratch", type=Path, required=True, help="an existing folder; nothing is left in it")
    parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(dir=asked.scratch) as folder:
            measurement = measured(asked.file, Path(folder), asked.quick)
    except Exception as error:
        traceback.print_exc()
        asked.into.write_bytes(msgspec.json.encode(f"{type(error).__name__}: {error}".partition("\n")[0]))
        return 1
    asked.into.write_bytes(msgspec.json.encode(measurement))
    return 0


def measured(file: Path, folder: Path, quick: bool) -> Measurement:
    """Run the benchmark of a file; ``folder`` is its own."""
    benchmark, place = loaded(file), Place.here()

    def say(words: str) -> None:
        print(f"{benchmark.letter}: {words}", file=sys.stderr, flush=True)

    pace = Pace(folder, say, repetitions=1, warm_ups=0, quick=True) if quick else Pace(folder, say)
    begun_s = time.monotonic()
    result = benchmark.run(pace)
    return Measurement(
        letter=benchmark.letter,
        title=benchmark.title,
        what=benchmark.what,
        result=result,
        at=datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M"),
        took_s=time.monotonic() - begun_s,
        repetitions=pace.repetitions,
        warm_ups=pace.warm_ups,
        quick=quick,
        peak_bytes=1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        place=place,
    )


if __name__ == "__main__":
    sys.exit(main())
