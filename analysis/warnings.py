"""What a reader must know before trusting a report's numbers, one sentence each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from statistics import median

from analysis import facts, stats, targets, units
from analysis.aggregation.cautions import aggregation_cautions
from analysis.caution import Caution, counted_reasons, named, unstopped
from analysis.device_warnings import cautions_across, device_cautions
from analysis.disturbances import disturbances
from analysis.groups import Group, groups_of
from analysis.load import Run
from analysis.methods import contenders
from harness.profiles import METHODS, TargetProfile

LOWEST_PROCESSOR_SHARE = 0.8
LINK_TOLERANCE = 0.1

MERE_WORDS = ("name", "description")
"""Keys of a profile that change nothing of a run."""


def cautions(runs: Sequence[Run], left_out: Sequence[str] = ()) -> tuple[Caution, ...]:
    """Everything worth saying about these runs, warnings first; equal sentences are said once."""
    named = tuple(zip(stats.labels(runs), runs, strict=True))
    found = [Caution("left out", text) for text in left_out]
    found += [*_across(runs), *cautions_across(named)]
    for label, run in named:
        for check in CHECKS:
            found += check(label, run)
    measured = [(label, run) for label, run in named if not facts.is_virtual(run)]
    for label, run in measured:  # a virtual fleet has no agents, no crowded cores and no real link
        found += _agents(label, run)
    groups = groups_of([run for _, run in measured])
    for check_all in (_oversubscribed, _links, _warm_up):
        found += check_all(groups)
    found += [Caution("virtual clock", text, "note") for text in facts.basis(runs)]
    return tuple(sorted(dict.fromkeys(found), key=lambda caution: caution.level == "note"))


def _across(runs: Sequence[Run]) -> Iterator[Caution]:
    """What makes runs of one report hard to compare. Seeds may differ: the tables show them."""
    if len({run.header.profile_sha256 for run in runs}) > 1:
        keys = stats.differing_keys([run.header.profile for run in runs])
        others = tuple(f"methods.{method}." for method in METHODS if method not in {run.header.method for run in runs})
        keys = tuple(key for key in keys if not key.startswith(("seeds.", *others)) and key not in MERE_WORDS)
        if keys:
            yield Caution("profiles", f"The runs do not share one profile; what differs: {named(keys)}.")
    clocks = sorted({run.header.clock for run in contenders(runs) if run.header.clock})
    if len(clocks) > 1:
        yield Caution("clocks", f"The runs are timed by different clocks ({units.listing(clocks)}): do not compare.")


def _state(label: str, run: Run) -> Iterator[Caution]:
    header = run.header
    reason = f": {unstopped(header.reason)}" if header.reason else ""
    done = f"{units.count(len(run.rounds))} of {units.counted(run.experiment.rounds.count, 'round')}"
    if header.state == "running":
        yield Caution("unfinished", f"{label} is not finished: {done} are recorded.")
    elif header.state != "done":
        word = "failed" if header.state == "failed" else "was interrupted"
        yield Caution("unfinished", f"{label} {word} after {done}{reason}.")


def _stand_in(label: str, run: Run) -> Iterator[Caution]:
    """One sentence for all runs that trained the same stand-in: it does not name the run."""
    model, dataset = run.experiment.model, run.experiment.dataset
    pairs = [(each.name, each.timed_as) for each in (model, dataset) if each.timed_as not in (None, each.name)]
    if pairs:
        trained = units.listing(f"{name} in place of {timed_as}" for name, timed_as in pairs)
        yield Caution(
            "stand-in",
            f"A stand-in was trained, {trained}: accuracies are those of the stand-in, the seconds of tables are "
            f"those of {units.listing(str(timed_as) for _, timed_as in pairs)}.",
        )


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
        yield Caution("recorded", f"{unstopped(text)}.")


def _failed(label: str, run: Run) -> Iterator[Caution]:
    failed = [failure for record in run.rounds for failure in record.failed]
    if failed:
        why = counted_reasons(failure.reason for failure in failed)
        rounds = sum(1 for record in run.rounds if record.failed)
        text = f"{label}: {units.counted(len(failed), 'client')} failed in {units.counted(rounds, 'round')}: {why}."
        if run.header.clock == "critical path":
            text += " The clock counts no second that was spent on them, or waited for them."
        yield Caution("failed clients", text)


def _agents(label: str, run: Run) -> Iterator[Caution]:
    wanted, came = run.experiment.agents.count, len(run.header.agents)
    if 0 < came < wanted:
        yield Caution("agents", f"{label}: {came} of {units.counted(wanted, 'agent')} came; the run went on without.")


def _oversubscribed(groups: Sequence[Group]) -> Iterator[Caution]:
    """One sentence for all runs, as are the next two: what holds for one holds for its neighbours."""
    found = []
    for group in groups:
        shares = [
            stats.processor_share(run.clients, run.experiment.device.threads)
            for run in group.runs
            if run.experiment.train.trainer != "null"  # it does not compute, so its processor share says nothing
        ]
        low = [share for share in shares if share is not None and share < LOWEST_PROCESSOR_SHARE]
        if low:
            found.append(f"{group.label} {median(low) * 100:.0f} %{_how_many(low, group)}")
    if found:
        yield Caution(
            "oversubscribed",
            f"Trainers had less processor time than their threads ask for (medians: {named(found)}), so "
            "training seconds are longer than on a device of its own.",
        )


def _links(groups: Sequence[Group]) -> Iterator[Caution]:
    ways = {"downlink": stats.download_use, "uplink": stats.upload_use}
    off = [text for group in groups for way, use_of in ways.items() for text in _off(group, way, use_of)]
    if off:
        yield Caution(
            "links",
            f"Links off their profile: {named(off)} (medians); transfer times are not the link's alone.",
        )


def _off(group: Group, way: str, use_of: Callable[[Run], stats.LinkUse]) -> Iterator[str]:
    uses = [use_of(run) for run in group.runs]
    off = [use for use in uses if use.ratio is not None and abs(use.ratio - 1) > LINK_TOLERANCE]
    if off:
        got = stats.median_or_none(use.achieved_bps for use in off if use.achieved_bps is not None)
        own = stats.median_or_none(use.link_bps for use in off if use.link_bps is not None)
        yield f"{group.label}'s {way} {units.MBITS.number(got)} of {units.MBITS.text(own)}{_how_many(off, group)}"


def _warm_up(groups: Sequence[Group]) -> Iterator[Caution]:
    warm = [(group.label, client) for group in groups for run in group.runs for client in run.clients if client.warm_up]
    if warm:
        rounds = sorted({client.round for _, client in warm})
        who = f" ({named(list(dict.fromkeys(label for label, _ in warm)))})" if len(groups) > 1 else ""
        yield Caution(
            "warm-up",
            f"{units.counted(len(warm), 'update')} of {'round' if len(rounds) == 1 else 'rounds'} "
            f"{named([str(number) for number in rounds])}{who} came from trainers that had just started and may have "
            "taken longer for it; they are counted.",
            "note",
        )


def _how_many(found: Sequence[object], group: Group) -> str:
    """Of how many of a group's runs something holds, where it has several."""
    return f" in {len(found)} of {len(group.runs)} runs" if len(group.runs) > 1 else ""


def _notes(label: str, run: Run) -> Iterator[Caution]:
    for note in run.notes:
        yield Caution("records", f"{label}: {note}")


CHECKS = (
    _state,
    _stand_in,
    _not_reached,
    _recorded,
    _failed,
    disturbances,
    device_cautions,
    aggregation_cautions,
    _notes,
)
"""Of each run, by its label."""
