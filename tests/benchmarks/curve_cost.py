"""What encryption costs: a state of 4.72 MB there and an update back, with keys and without, by real agents.

    .venv/bin/python tests/benchmarks/curve_cost.py

Runs of the profile ``null`` with one agent on this machine, plain and with keys in turns (plain, keys, keys, plain),
each program on one thread. A round trip is ``download_s`` + ``upload_s`` of a client's record: from the first request
to the acknowledgement of the last byte, hashing and files included; a run's first, which warms up, does not count.
Printed are medians, the middle half, and the ratio of medians, over unshaped loopback and over the link of 20 to 30
Mbit/s. A benchmark, not a test: nothing here passes or fails.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from harness.records import ClientRecord

FEDERA_BENCH = [sys.executable, "-c", "import sys; from harness.cli import main; sys.exit(main())"]
LINKS = ("unshaped", "wifi-20-30")
PARTS = {
    "download": lambda record: record.download_s,
    "upload": lambda record: record.upload_s,
    "round trip": lambda record: record.download_s + record.upload_s,
}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--repetitions", type=int, default=20, help="round trips of each kind over each link")
    parser.add_argument("--block", type=int, default=5, help="how many of them are of one run")
    parser.add_argument("--state-bytes", type=int, default=4_718_592)
    asked = parser.parse_args(arguments)
    blocks = -(-asked.repetitions // asked.block)
    with tempfile.TemporaryDirectory() as folder:
        _call(["keys", "new", "controller", "--keys", f"{folder}/keys"], Path(folder))
        for link in LINKS:
            records: dict[bool, list[ClientRecord]] = {False: [], True: []}
            for block in range(blocks):
                for secured in ((False, True), (True, False))[block % 2]:
                    out = Path(folder) / f"{link}-{block}-{secured}"
                    records[secured] += _round_trips(out, link, asked.block, asked.state_bytes, secured)
            _print(link, asked.state_bytes, records)
    return 0


def _round_trips(out: Path, link: str, count: int, state_bytes: int, secured: bool) -> list[ClientRecord]:
    """The records of one run, without its first."""
    sets = ("rounds.clients_per_round=1", f"link={link}", f"train.null_state_bytes={state_bytes}")
    words = [word for text in sets for word in ("--set", text)]
    keys = ["--keys", str(out.parent / "keys")] if secured else []
    _call(["run", "null", "--rounds", str(count + 1), "--agents", "1", "--out", str(out), *words, *keys], out.parent)
    (lines,) = out.glob("*/clients.jsonl")
    return [msgspec.json.decode(line, type=ClientRecord) for line in lines.read_bytes().splitlines()][1:]


def _call(words: Sequence[str], folder: Path) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    subprocess.run([*FEDERA_BENCH, *words], cwd=folder, env=environment, capture_output=True, check=True)


def _print(link: str, state_bytes: int, records: dict[bool, list[ClientRecord]]) -> None:
    print(f"{link}: {state_bytes:,} bytes each way, {len(records[True])} round trips with keys and without")
    for name, seconds in PARTS.items():
        plain, keys = ([seconds(record) for record in records[secured]] for secured in (False, True))
        ratio = statistics.median(keys) / statistics.median(plain)
        print(f"  {name:10}  plain {_spread(plain)}  with keys {_spread(keys)}  ratio {ratio:.3f}")


def _spread(seconds: Sequence[float]) -> str:
    low, middle, high = (1000 * value for value in statistics.quantiles(seconds, n=4))
    return f"{middle:8.1f} ms ({low:.1f} to {high:.1f})"


if __name__ == "__main__":
    sys.exit(main())
