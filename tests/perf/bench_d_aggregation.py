"""How fast full states are aggregated, over a plain copy of as many bytes in memory; and with how much memory."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from perf.base import Benchmark, Figure, Pace, Result, ratios
from perf.state_files import (
    Parts,
    aggregation_peak_bytes,
    copied_s,
    on_one_core,
    shapes_of,
    values_in,
    write_updates,
)

from harness import spare
from harness.durable import sync
from harness.learning.aggregation.mean import weighted_mean

SIZES = (768, 12, 50_265)
"""RoBERTa-base: 124 million values, 500 MB in float32."""
QUICK_SIZES = (64, 2, 1_000)
CLIENTS, QUICK_CLIENTS = 10, 3
ONE, ALL = "one core", "all cores"
COLD, ON_DISK = "into a new file", "and on the disk"


def run(pace: Pace) -> Result:
    """The updates are read from the system's cache, where they are as they came in.

    The result is written over a state that is not needed any more, and on the disk later, as in a run: no round waits
    for that. The first two states of a run have no such file, which is a figure of its own.
    """
    shapes = shapes_of(*(QUICK_SIZES if pace.quick else SIZES))
    updates = write_updates(pace.folder, shapes, QUICK_CLIENTS if pace.quick else CLIENTS)
    out, cores = pace.folder / "mean", len(os.sched_getaffinity(0))
    source = np.ones(values_in(shapes), np.float32)
    target = np.zeros_like(source)
    read_bytes = sum(path.stat().st_size for path in updates)

    def copied(threads: int) -> float:
        return read_bytes / copied_s(source, target, len(updates), threads) / 1e9

    def seconds(synced: bool = False) -> float:
        begun_s = time.perf_counter()
        weighted_mean([(path, 3 + place) for place, path in enumerate(updates)], out, synced=synced)
        return time.perf_counter() - begun_s

    def aggregated(over_a_spare: bool = True, synced: bool = False) -> float:
        (spare.kept_or_removed if over_a_spare else _removed)(out)
        spent_s = seconds(synced)
        sync(out)  # what waits to be written would slow down who comes next
        return read_bytes / spent_s / 1e9

    def aggregated_alone() -> float:
        with on_one_core():
            return aggregated()

    seconds()
    rates = pace.side_by_side(
        {
            f"aggregation, {ALL}": aggregated,
            f"aggregation, {ONE}": aggregated_alone,
            f"aggregation, {ALL}, {COLD}": lambda: aggregated(over_a_spare=False),
            f"aggregation, {ALL}, {ON_DISK}": lambda: aggregated(synced=True),
            f"copy, {ONE}": lambda: copied(1),
            f"copy, {ALL}": lambda: copied(cores),
        }
    )
    peaks = [aggregation_peak_bytes(out, updates) / source.nbytes for _ in range(1 if pace.quick else 2)]
    figures = (*_ratios(rates), _peak(peaks), *(_rate(name, values) for name, values in rates.items()))
    missed = any(figure.reached is False for figure in figures)
    profile = _profile(Parts(updates, out).seconds(), cores) if missed else ""
    return Result(letter="d", figures=figures, remark=_remark(cores, len(updates), source.nbytes), profile=profile)


def _removed(path: Path) -> None:
    path.unlink()


def _ratios(rates: Mapping[str, list[float]]) -> tuple[Figure, ...]:
    """Rates of one turn over one another; numpy copies in one thread."""

    def over(name: str, other: str, at_least: float | None = None) -> Figure:
        values = ratios(rates[name], rates[other])
        return Figure(name=f"{name}, over {other}", unit="", values=values, at_least=at_least)

    return (
        over(f"aggregation, {ALL}", f"copy, {ONE}", at_least=0.4),
        over(f"aggregation, {ONE}", f"copy, {ONE}"),
        over(f"aggregation, {ALL}", f"copy, {ALL}"),
        over(f"aggregation, {ALL}, {COLD}", f"copy, {ONE}"),
        over(f"aggregation, {ALL}, {ON_DISK}", f"copy, {ONE}"),
    )


def _peak(peaks: list[float]) -> Figure:
    name = "peak memory of aggregation above the process that does it"
    return Figure(name=name, unit="states", values=tuple(peaks), at_most=2.0)


def _rate(name: str, values: list[float]) -> Figure:
    return Figure(name=name, unit="GB/s", values=tuple(values))


def _remark(cores: int, clients: int, state_bytes: int) -> str:
    return (
        f"{clients} updates of {state_bytes / 1e6:.0f} MB; {cores} cores. Read, summed in float64, divided, rounded, "
        "hashed and written over an older state's file, as in a run, which has it on the disk beside the next round; "
        "bytes are those of the updates. The copy is numpy's, of one array into another "
        "that is there already, again and again."
    )


def _profile(parts: Mapping[str, float], cores: int) -> str:
    """What bounds it: the processor time of the parts alone."""
    told = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in parts.items())
    whole = sum(parts.values()) - parts["writing"]
    return (
        f"Processor time of the parts, each alone in one thread: {told}. All but the first writing are "
        f"{whole / cores:.2f} s over {cores} cores. What writing takes beyond writing again is the system's finding of "
        "memory for its cache."
    )


BENCHMARK = Benchmark(
    letter="d",
    title="Aggregation of full states",
    what=(
        "The weighted mean of ten clients' full states of RoBERTa-base's shape (500 MB each, in the system's cache), "
        "as the server takes it: bytes of updates a second over those of a plain copy in memory, and what the "
        "aggregation adds to a process' memory at most."
    ),
    run=run,
)
