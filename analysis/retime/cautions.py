"""What a reader must know before trusting retimed numbers, one sentence each; pure."""

from __future__ import annotations

from collections.abc import Iterator

from analysis import stats, units
from analysis.caution import MOST_NAMED, Caution, named
from analysis.retime.study import Study
from harness.retiming import has_rate


def retime_cautions(study: Study) -> tuple[Caution, ...]:
    """Everything that limits what can be read from retimed runs, warnings first; equal sentences are said once."""
    checks = (_wire, _link, _device, _stand_in, _deadline, _failures, _disturbed, _waits)
    found = dict.fromkeys(caution for check in checks for caution in check(study))
    return tuple(sorted(found, key=lambda caution: caution.level == "note"))


def _wire(study: Study) -> Iterator[Caution]:
    if study.wire is None:
        return
    yield Caution(
        "equal accuracy",
        f"Payloads as {study.wire} change only the bytes here ({study.conditions.payload_factor * 100:g} % of those of "
        "float32): that methods learn as well with such numbers is assumed, not trained.",
    )
    silent = [run for run in study.recorded if not has_rate(study.link(run))]
    if silent:
        names = units.listing(dict.fromkeys(study.link(run).name for run in silent))
        yield Caution("bytes", f"Seconds over {names} do not depend on bytes, so {study.wire} saves no time there.")


def _link(study: Study) -> Iterator[Caution]:
    """A link whose seconds say nothing about bytes."""
    link = study.conditions.link
    if link is None or has_rate(link):
        return
    if link.transfers:
        text = f"Link {link.name} is a table of seconds: a transfer takes what it says, whatever its bytes."
    else:
        text = (
            f"Link {link.name} has no rate: a transfer takes its latency alone "
            f"({2 * link.latency_s + link.overhead_s:g} s), whatever its bytes."
        )
    yield Caution("link", text)


def _device(study: Study) -> Iterator[Caution]:
    device = study.conditions.device
    owns = dict.fromkeys(run.experiment.device.name for run in study.recorded if run.experiment.device != device)
    if device is None or not owns:
        return
    others = [name for name in owns if name != device.slower_than]
    if not device.seconds and device.slowdown == 1:
        text = f"Device {device.name} has no seconds of its own: training takes what it took on {units.listing(owns)}."
        yield Caution("device", text)
    elif not device.seconds and others:
        yield Caution(
            "device",
            f"Device {device.name} is compared with {device.slower_than}, but runs were timed on "
            f"{units.listing(others)}: their seconds are multiplied by {device.slowdown:g} all the same.",
        )
    elif device.seconds and device.server.aggregate_s is None:
        text = f"Device {device.name} says nothing about aggregation: it takes what it took where the runs ran."
        yield Caution("device", text, "note")


def _stand_in(study: Study) -> Iterator[Caution]:
    for run in study.recorded:
        model = run.experiment.model
        if model.timed_as not in (None, model.name):
            yield Caution(
                "stand-in",
                f"Bytes are those of {model.name}, which was trained in place of {model.timed_as}: over a link with a "
                f"rate {model.timed_as} takes another time.",
            )


def _deadline(study: Study) -> Iterator[Caution]:
    """Rounds whose slowest client would have come too late; one sentence for all runs."""
    late = []
    for label, run in zip(stats.labels(study.recorded), study.retimed, strict=True):
        deadline_s = run.experiment.rounds.deadline_s
        count = sum(record.critical_path_s - record.aggregate_s > deadline_s for record in run.rounds)
        late += [f"{label} in {units.counted(count, 'round')} of {units.count(len(run.rounds))}"] if count else []
    if late:
        more = f"; and {units.counted(len(late) - MOST_NAMED, 'other run')}" if len(late) > MOST_NAMED else ""
        yield Caution(
            "deadline",
            f"The slowest client would miss the round's deadline (rounds.deadline_s): {'; '.join(late[:MOST_NAMED])}"
            f"{more}. A real round would go on without it, here it is waited for.",
        )


def _failures(study: Study) -> Iterator[Caution]:
    if any(record.failed for run in study.recorded for record in run.rounds):
        yield Caution("failed clients", "Clients that failed in a round fail in it here too.", "note")


def _disturbed(study: Study) -> Iterator[Caution]:
    """Transfers over a link of the run's own keep their recorded seconds, and what disturbed them."""
    kept = [
        (label, sum(not client.undisturbed for client in run.clients))
        for label, run in zip(stats.labels(study.recorded), study.recorded, strict=True)
        if study.link(run) == run.experiment.link
    ]
    told = [f"{label} {units.count(count)}" for label, count in kept if count]
    if told:
        yield Caution(
            "disturbed updates",
            "Updates whose connection broke, or that were resumed after a restart, keep the seconds of their "
            f"transfers: {named(told)}.",
        )


def _waits(study: Study) -> Iterator[Caution]:
    if any(run.header.clock == "wall" for run in study.recorded):
        yield Caution(
            "clock",
            "Runs by the wall keep the seconds of a round that neither its slowest client nor aggregation explains.",
            "note",
        )
