"""Long lists of numbers that several charts of a page have, each written once; pure.

A metric's values are the same against time, rounds, bytes and joules. The first chart that has a list keeps it, and the
others name it: ``{"of": [chart, trace, axis]}``, which the page's script puts in place when it draws.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from analysis.parts import Block, Chart, Charts, Folded, Section

LONG = 50
"""Shorter lists are as long as what would name them."""
AXES = ("x", "y")

Place = tuple[str, int, str]
"""A chart's name, the number of its trace, the axis."""


def shared(sections: Iterable[Section]) -> tuple[Section, ...]:
    """The sections with each long list where it is first, and what names it everywhere else."""
    seen: dict[tuple[float, ...], Place] = {}
    return tuple(
        replace(section, blocks=tuple(_block(block, seen) for block in section.blocks)) for section in sections
    )


def _block(block: Block, seen: dict[tuple[float, ...], Place]) -> Block:
    if isinstance(block, Chart):
        return _chart(block, seen)
    if isinstance(block, Charts):
        return replace(block, charts=tuple(_chart(chart, seen) for chart in block.charts))
    if isinstance(block, Folded):
        return replace(block, blocks=tuple(_block(each, seen) for each in block.blocks))
    return block


def _chart(chart: Chart, seen: dict[tuple[float, ...], Place]) -> Chart:
    data = [_trace(trace, chart.name, at, seen) for at, trace in enumerate(chart.figure["data"])]
    return replace(chart, figure={**chart.figure, "data": data})


def _trace(trace: dict[str, Any], chart: str, at: int, seen: dict[tuple[float, ...], Place]) -> dict[str, Any]:
    found = dict(trace)
    for axis in AXES:
        values = trace.get(axis)
        if not isinstance(values, list) or len(values) < LONG:
            continue
        own: Place = (chart, at, axis)
        first = seen.setdefault(tuple(values), own)
        if first != own:
            found[axis] = {"of": list(first)}
    return found
