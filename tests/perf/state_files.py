"""Updates of a made model for the benchmark of aggregation, and how fast a machine copies, reads, sums and hashes."""

from __future__ import annotations

import hashlib
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from harness.learning.aggregation.mean import BLOCK_VALUES
from harness.learning.slices import SLICE_VALUES, Array, Shape, slices, write_slices

ROOT = Path(__file__).parents[2]
PEAK = """
import sys
from pathlib import Path
from harness.learning.aggregation.mean import weighted_mean

def peak_bytes():
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) * 1024

before, files, out = peak_bytes(), map(Path, sys.argv[2:]), Path(sys.argv[1])
weighted_mean([(path, 3 + place) for place, path in enumerate(files)], out)
print(peak_bytes() - before)
"""


def shapes_of(width: int, layers: int, vocabulary: int) -> dict[str, Shape]:
    """The tensors of an encoder like RoBERTa: few large ones, and many small ones between them."""
    shapes: dict[str, Shape] = {"embeddings.word.weight": (vocabulary, width)}
    for layer in range(layers):
        for name in ("query", "key", "value", "dense"):
            shapes |= {f"layer.{layer}.{name}.weight": (width, width), f"layer.{layer}.{name}.bias": (width,)}
        shapes |= {f"layer.{layer}.up.weight": (4 * width, width), f"layer.{layer}.up.bias": (4 * width,)}
        shapes |= {f"layer.{layer}.down.weight": (width, 4 * width), f"layer.{layer}.down.bias": (width,)}
        shapes |= {f"layer.{layer}.norm.weight": (width,), f"layer.{layer}.norm.bias": (width,)}
    return shapes


def values_in(shapes: dict[str, Shape]) -> int:
    """How many values the tensors have together."""
    return sum(math.prod(shape) for shape in shapes.values())


def write_updates(folder: Path, shapes: dict[str, Shape], clients: int) -> list[Path]:
    """An update of each client; they are on the disk, and nothing of them waits to be written."""
    paths = [folder / f"update-{client}" for client in range(clients)]
    for client, path in enumerate(paths):
        drawn = np.random.default_rng(client).normal(0.0, 0.02, SLICE_VALUES).astype(np.float32)
        write_slices(path, shapes, _repeated(drawn, shapes), synced=True)
    return paths


def _repeated(drawn: Array, shapes: dict[str, Shape]) -> Iterator[Array]:
    for start, stop in slices((values_in(shapes),)):
        yield drawn[: stop - start]


def aggregation_peak_bytes(out: Path, updates: list[Path]) -> int:
    """What a new process needs beyond itself, with all that it imports, to aggregate them."""
    words = [sys.executable, "-c", PEAK, str(out), *map(str, updates)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    return int(done.stdout)


def copied_s(source: Array, target: Array, times: int, threads: int) -> float:
    """Seconds to copy an array so many times into one that is there already, by threads with a part each."""
    parts = list(zip(np.array_split(source, threads), np.array_split(target, threads), strict=True))

    def copied(part: tuple[Array, Array]) -> None:
        for _ in range(times):
            np.copyto(part[1], part[0])

    begun_s = time.perf_counter()
    if threads == 1:
        copied(parts[0])
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(copied, parts))
    return time.perf_counter() - begun_s


@contextmanager
def on_one_core() -> Iterator[None]:
    """All threads that begin in the block have one core together."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Parts:
    """What an aggregation consists of, each part alone, in one thread: the same bytes in the same blocks."""

    def __init__(self, updates: list[Path], scratch: Path) -> None:
        self._updates, self._scratch = updates, scratch
        self._update_bytes = updates[0].stat().st_size
        self._block = np.ones(BLOCK_VALUES, np.float32)
        self._slice = bytes(4 * SLICE_VALUES)

    def seconds(self) -> dict[str, float]:
        """Processor time of each; the second writing goes over pages that the system has already."""
        self._scratch.write_bytes(b"")
        parts = {"reading": self._read, "summing": self._sum, "hashing": self._hash, "writing": self._write}
        return {name: _cpu_s(part) for name, part in {**parts, "writing it again": self._write}.items()}

    def _read(self) -> None:
        for path in self._updates:
            with path.open("rb", buffering=0) as file:
                while file.readinto(self._block.data) == self._block.nbytes:
                    pass

    def _sum(self) -> None:
        total, weighted = np.zeros((2, BLOCK_VALUES), np.float64)
        block = np.ones(BLOCK_VALUES, np.float32)
        for _ in range(len(self._updates) * self._update_bytes // block.nbytes):
            np.copyto(weighted, block)
            np.multiply(weighted, 3, out=weighted)
            np.add(total, weighted, out=total)

    def _hash(self) -> None:
        digest = hashlib.sha256()
        for _ in range(self._update_bytes // len(self._slice)):
            digest.update(self._slice)

    def _write(self) -> None:
        with self._scratch.open("r+b", buffering=0) as file:
            for _ in range(self._update_bytes // len(self._slice)):
                file.write(self._slice)


def _cpu_s(part: Callable[[], None]) -> float:
    begun_s = time.process_time()
    part()
    return time.process_time() - begun_s
