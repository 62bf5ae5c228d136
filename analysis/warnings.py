"""What a reader must know before trusting a report's numbers, one sentence each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from analysis import stats, targets, units
from analysis.load import Run
from harness.profiles import TargetProfile

LOWEST_PROCESSOR_SHARE = 0.8
LINK_TOLERANCE = 0.1
MOST_NAMED = 8

Level = Literal["warning", "note"]
Named = Sequence[tuple[str, Run]]
"""Runs by the name that a report gives them."""


@dataclass(frozen=True)
class Caution:
    """One sentence. A ``note`` explains a number, a ``warning`` limits what can be read from it."""

    kind: str
    text: str
    level: Level = "warning"


def cautions(runs: Sequence[Run], left_out: Sequence[str] = ()) -> tuple[Caution, ...]:
    """Everything worth saying about these runs, warnings first; equal sentences are said once."""
    named = tuple(zip(stats.labels(runs), runs, strict=True))
    found = [Caution("left out", text) for text in left_out]
    found += _across(runs)
    for label, run in named:
        for check in (_state, _not_reached, _recorded, _failed, _agents, _notes):
            found += check(label, run)
    for check_all in (_oversubscribed, _links, _warm_up):
        found += check_all(named)
    return tuple(sorted(dict.fromkeys(found), key=lambda caution: caution.level == "note"))


def _across(runs: Sequence[Run]) -> Iterator[Caution]:
    """What makes runs of one report hard to compare. Seeds may differ: the tables show them."""
    if len({run.header.profile_sha256 for run in runs}) > 1:
        keys = stats.differing_keys([run.header.profile for run in runs])
        keys = tuple(key for key in keys if not key.startswith("seeds."))
        if keys:
            yield Caution("profiles", f"The runs do not share one profile; what differs: {_named(keys)}.")
    clocks = sorted({run.header.clock for run in runs if run.header.clock})
    if len(clocks) > 1:
        yield Caution("clocks", f"The runs are timed by different clocks ({units.listing(clocks)}): do not compare.")


def _state(label: str, run: Run) -> Iterator[Caution]:
    header = run.header
    reason = f": {_unstopped(header.reason)}" if header.reason else ""
    done = f"{units.count(len(run.rounds))} of {units.counted(run.experiment.rounds.count, 'round')}"
    if header.state == "running":
        yield Caution("unfinished", f"{label} is not finished: {done} are recorded.")
    elif header.state != "done":
        word = "failed" if header.state == "failed" else "was interrupted"
        yield Caution("unfinished", f"{label} {word} after {done}{reason}.")


def _not_reached(label: str, run: Run) -> Iterator[Caution]:
    if run.experiment.train.trainer == "null":
        text = f"{label} used the null trainer: it measures the harness itself and has nothing to evaluate."
        yield Caution("null trainer", text, "note")
        return
    for target in run.experiment.targets:
        yield from _missed(label, run, target)


def _missed(label: str, run: Run, target: TargetProfile) -> Iterator[Caution]:
    best, name = targets.best_metric(run.rounds, target.metric), units.metric_name(target.metric)
    if best is None:
        yield Caution("not reached", f"{label} never evaluated {name}, so no time to a target can be given.")
        return
    missed = [f for f in sorted(target.fractions) if targets.first_crossing(run.rounds, target, f) is None]
    if missed:
        yield Caution(
            "not reached",
            f"{label} did not reach {units.listing(units.percent(f) for f in missed)} of {name} "
            f"{target.value:g} in {units.counted(len(run.rounds), 'round')}; its best was {units.metric(best)}.",
        )


def _recorded(label: str, run: Run) -> Iterator[Caution]:
    for text in run.header.warnings:
        yield Caution("recorded", f"{_unstopped(text)}.")


def _failed(label: str, run: Run) -> Iterator[Caution]:
    failed = [failure for record in run.rounds for failure in record.failed]
    if failed:
        reasons = Counter(_unstopped(failure.reason) for failure in failed).most_common()
        named = "; ".join(f"{reason} ({units.count(times)})" for reason, times in reasons[:MOST_NAMED])
        more = f"; and {len(reasons) - MOST_NAMED} other reasons" if len(reasons) > MOST_NAMED else ""
        rounds = sum(1 for record in run.rounds if record.failed)
        yield Caution(
            "failed clients",
            f"{label}: {units.counted(len(failed), 'client')} failed in {units.counted(rounds, 'round')}: "
            f"{named}{more}.",
        )


def _agents(label: str, run: Run) -> Iterator[Caution]:
    wanted, came = run.experiment.agents.count, len(run.header.agents)
    if 0 < came < wanted:
        yield Caution("agents", f"{label}: {came} of {units.counted(wanted, 'agent')} came; the run went on without.")


def _oversubscribed(runs: Named) -> Iterator[Caution]:
    """One sentence for all runs, as are the next two: what holds for one holds for its neighbours."""
    shares = []
    for label, run in runs:
        if run.experiment.train.trainer != "null":  # it does not compute, so its processor share says nothing
            share = stats.processor_share(run.clients, run.experiment.device.threads)
            if share is not None and share < LOWEST_PROCESSOR_SHARE:
                shares.append(f"{label} {share * 100:.0f} %")
    if shares:
        yield Caution(
            "oversubscribed",
            f"Trainers had less processor time than their threads ask for (medians: {_named(shares)} of it), so "
            "training seconds are longer than on a device of its own.",
        )


def _links(runs: Named) -> Iterator[Caution]:
    ways = {"downlink": stats.download_use, "uplink": stats.upload_use}
    uses = [(f"{label}'s {way}", use(run)) for label, run in runs for way, use in ways.items()]
    off = [
        f"{who} {units.MBITS.number(use.achieved_bps)} of {units.MBITS.number(use.link_bps)}"
        for who, use in uses
        if use.ratio is not None and abs(use.ratio - 1) > LINK_TOLERANCE
    ]
    if off:
        yield Caution(
            "links",
            f"Links off their profile: {_named(off)} Mbit/s (medians); transfer times are not the link's alone.",
        )


def _warm_up(runs: Named) -> Iterator[Caution]:
    warm = [(label, client) for label, run in runs for client in run.clients if client.warm_up]
    if warm:
        rounds = sorted({client.round for _, client in warm})
        who = f" ({_named(list(dict.fromkeys(label for label, _ in warm)))})" if len(runs) > 1 else ""
        yield Caution(
            "warm-up",
            f"{units.counted(len(warm), 'update')} of {'round' if len(rounds) == 1 else 'rounds'} "
            f"{_named([str(number) for number in rounds])}{who} came from trainers that had just started and may have "
            "taken longer for it; they are counted.",
            "note",
        )


def _notes(label: str, run: Run) -> Iterator[Caution]:
    for note in run.notes:
        yield Caution("records", f"{label}: {note}")


def _named(words: Sequence[str]) -> str:
    """A sentence's list of at most a few words."""
    if len(words) <= MOST_NAMED:
        return units.listing(words)
    return f"{', '.join(words[:MOST_NAMED])} and {len(words) - MOST_NAMED} more"


def _unstopped(text: str) -> str:
    return text.strip().rstrip(".")
