"""The link of a run: what transfers took beyond the rate they were shaped to, or the rates that they achieved."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

import msgspec

from harness.links import transfer
from harness.measuring.figures import measured_name, middle_mean, quantile, significant
from harness.measuring.runs import Recorded
from harness.profiles import LinkProfile, RateProfile

QUANTILES = 20
"""At most so many rates stand for all that were achieved."""

SIZES_APART = 2.0
"""Latency and rate are told apart only where one payload has so many times the bytes of another."""

SHORTEST_STEP_S = 0.5


class Transfer(NamedTuple):
    """One real transfer. ``beyond_s`` is what it took beyond the run's link profile: that of its rate and latency."""

    direction: str
    size_bytes: int
    seconds: float
    beyond_s: float


def transfers(runs: Sequence[Recorded]) -> tuple[Transfer, ...]:
    """The downloads and uploads of ``runs``, which went through :func:`harness.measuring.runs.check`.

    Those of disturbed updates are left out where there are others.
    """
    found = []
    some_undisturbed = any(record.undisturbed for run in runs for record in run.clients)
    for run in runs:
        # A real transfer has an overhead of its own; that of the profile is for virtual clocks.
        link = msgspec.structs.replace(run.experiment.link, overhead_s=0.0)
        for record in run.clients:
            if some_undisturbed and not record.undisturbed:
                continue
            for direction, size_bytes, seconds in (
                ("down", record.download_bytes, record.download_s),
                ("up", record.upload_bytes, record.upload_s),
            ):
                model = transfer(
                    link, run.setting, run.experiment.seeds.link, record.round, record.client, direction, size_bytes
                )
                found.append(Transfer(direction, size_bytes, seconds, seconds - model.seconds))
    return tuple(found)


def measured_link(runs: Sequence[Recorded]) -> LinkProfile:
    """The link of ``runs``, which went through :func:`harness.measuring.runs.check`.

    Where a direction was shaped, its rates, steps and latency stay, so that every transfer is replayed under the very
    trace it had; ``overhead_s`` is what they took beyond it (:func:`harness.measuring.figures.middle_mean`). Where it
    was not, its rates are those that were achieved; if nothing was shaped and payloads differ in size, their latency is
    told from their rate.
    """
    link, moved = runs[0].experiment.link, transfers(runs)
    name = measured_name(link.name)
    shaped = [one.beyond_s for one in moved if link.rate(one.direction).shaped]
    if shaped:
        overhead_s = significant(max(0.0, middle_mean(shaped)))
        constant_s = overhead_s + 2 * link.latency_s
        measured = msgspec.structs.replace(link, name=name, overhead_s=overhead_s)
    else:
        fitted_s = fitted_constant_s(moved)
        constant_s = 2 * link.latency_s if fitted_s is None else fitted_s
        measured = LinkProfile(name=name, latency_s=significant(constant_s / 2))
    return _with_achieved(link, measured, moved, constant_s)


def fitted_constant_s(moved: Sequence[Transfer]) -> float | None:
    """What a transfer of no bytes would take: the part that both directions share, each with a rate of its own.

    The line of least squared relative errors through the median seconds of each payload's size; None where the sizes
    are too much alike to tell.
    """
    seconds_of: defaultdict[tuple[str, int], list[float]] = defaultdict(list)
    for one in moved:
        seconds_of[one.direction, one.size_bytes].append(one.seconds)
    numerator = denominator = 0.0
    for direction in ("down", "up"):
        points = [(size, median(of)) for (way, size), of in seconds_of.items() if way == direction and median(of) > 0]
        sizes = [size for size, _ in points]
        if not sizes or max(sizes) < SIZES_APART * min(sizes):
            continue
        # Each direction's best slope for a constant c is (sum xy' - c sum x') / sum xx', with weights 1 / y^2; put into
        # the sum of squares, c is what is left of both directions together.
        x = sum(size / y**2 for size, y in points)
        xx = sum((size / y) ** 2 for size, y in points)
        xy = sum(size / y for size, y in points)
        numerator += sum(1 / y for _, y in points) - x * xy / xx
        denominator += sum(1 / y**2 for _, y in points) - x**2 / xx
    if denominator <= 0:
        return None
    return min(max(0.0, numerator / denominator), *(median(of) for of in seconds_of.values()))


def _with_achieved(
    link: LinkProfile, measured: LinkProfile, moved: Sequence[Transfer], constant_s: float
) -> LinkProfile:
    """``measured``, with achieved rates for those directions that were not shaped."""
    rates = {}
    for direction in ("down", "up"):
        if not link.rate(direction).shaped:
            rates[direction] = _achieved([one for one in moved if one.direction == direction], constant_s)
    if "up" in rates:
        measured = msgspec.structs.replace(measured, up=rates["up"])
    if "down" in rates:
        down = rates["down"]
        measured = msgspec.structs.replace(measured, rates_mbps=down.rates_mbps, step_s=down.step_s)
    return measured


def _achieved(moved: Sequence[Transfer], constant_s: float) -> RateProfile:
    """The rates of transfers as a trace with a step longer than any of them: each replayed one draws one rate.

    Quantiles keep the rates' own distribution. That of a real network is lopsided: a span from the slowest to the
    quickest would miss its median and its mean.
    """
    # Of a transfer that is latency for the most part, the rest is no measure of the rate.
    mbps = [_mbps(one, constant_s) for one in moved if one.seconds > 2 * constant_s and one.size_bytes]
    mbps = mbps or [_mbps(one, 0.0) for one in moved if one.seconds and one.size_bytes]
    count = min(QUANTILES, len(mbps))
    longest_s = max((one.seconds for one in moved), default=0.0)
    return RateProfile(
        rates_mbps=tuple(significant(quantile(mbps, (place + 0.5) / count)) for place in range(count)),
        step_s=max(SHORTEST_STEP_S, significant(2 * longest_s, digits=2)),
    )


def _mbps(moved: Transfer, constant_s: float) -> float:
    return moved.size_bytes * 8 / 1e6 / (moved.seconds - constant_s)
