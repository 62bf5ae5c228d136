"""What docs/scale.md says of figures: tables as Markdown, and their place in the document. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

from perf.walls import Fleet, Wall, count, mb

BEGIN = "<!-- scale: begin -->"
END = "<!-- scale: end -->"


def fleets_table(fleets: Sequence[Fleet]) -> str:
    """What was measured, a row for each size."""
    head = [
        "| agents | events | events a second | longest event | machine | + a round | events.jsonl, a round | recovery "
        "| its memory |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    return "\n".join([*head, *map(_fleet_row, fleets)])


def _fleet_row(fleet: Fleet) -> str:
    cells = (
        count(fleet.agents),
        count(fleet.events),
        count(round(fleet.events / fleet.handle_s, -2)),
        f"{fleet.longest_s * 1e3:.1f} ms",
        mb(fleet.machine_bytes),
        mb(fleet.round_bytes),
        mb(fleet.events_bytes / fleet.rounds),
        f"{fleet.recover_s:.2f} s",
        mb(fleet.recover_peak_bytes),
    )
    return f"| {' | '.join(cells)} |"


def walls_table(found: Sequence[Wall]) -> str:
    """The walls, a row for each."""
    head = ["| wall | sum | agents |", "|---|---|---:|"]
    rows = [
        f"| {wall.name} | {wall.sum} | {'-' if wall.agents is None else count(_rounded(wall.agents))} |"
        for wall in found
    ]
    return "\n".join([*head, *rows])


def tree_table(state_bytes: int, link_bps: float, sizes: Sequence[int]) -> str:
    """Seconds that all links of a round need, down and up at once: with one controller, and with a layer of regional
    ones. A region of k agents and n / k regions need (k + n / k) transfers one after the other: least at k = sqrt(n).
    """
    state_s = state_bytes * 8 / link_bps
    head = [
        "| agents | one controller | regions | agents each | with regions | at the root |",
        "|" + "---:|" * 6,
    ]
    rows = []
    for agents in sizes:
        each = round(math.sqrt(agents))
        regions = math.ceil(agents / each)
        cells = (
            count(agents),
            f"{agents * state_s:,.1f} s",
            count(regions),
            count(each),
            f"{(regions + each) * state_s:,.1f} s",
            f"{regions * state_bytes / 1e6:,.0f} MB",
        )
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join([*head, *rows])


def placed(document: str, text: str) -> str:
    """``document`` with ``text`` between the markers instead of what stands there.

    Raises:
        ValueError: the document does not have each marker once, in their order.
    """
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in before + after:
        raise ValueError(f"the document needs the lines {BEGIN} and {END}, once each and in this order")
    return f"{before}{BEGIN}\n{text}\n{END}{after}"


def _rounded(value: float) -> float:
    """Two digits that count: a sum of estimates has no more."""
    return round(value, 1 - math.floor(math.log10(value))) if value >= 1 else value
