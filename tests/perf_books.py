"""Measurements for tests of the benchmarks' page: what is not given does not matter."""

from __future__ import annotations

from typing import Any

from perf.base import Figure, Result
from perf.store import Measurement, Place

PLACE = Place(
    cpu="A Processor",
    cores=2,
    memory_bytes=16_000_000_000,
    platform="Linux",
    python="3.11.7",
    packages={"numpy": "2.4.6", "torch": None},
    commit="0123456789abcdef",
    changed=False,
    load=0.25,
)


def figure(name: str = "a round", *values: float, unit: str = "s", **limits: float) -> Figure:
    return Figure(name=name, unit=unit, values=values or (1.0, 3.0, 2.0), **limits)


def measurement(letter: str, *figures: Figure, remark: str = "", profile: str = "", **of: Any) -> Measurement:
    found = {
        "letter": letter,
        "title": f"The title of {letter}",
        "what": "What it measures.",
        "result": Result(letter=letter, figures=figures or (figure(),), remark=remark, profile=profile),
        "at": "2026-01-02 03:04",
        "took_s": 90.0,
        "repetitions": 5,
        "warm_ups": 1,
        "quick": False,
        "peak_bytes": 50_000_000,
        "place": PLACE,
    }
    return Measurement(**{**found, **of})
