"""What stands beside the rows of the aggregation table: its note for people, its raw values for programs; pure."""

from __future__ import annotations

import math

from analysis import targets, units
from analysis.aggregation import measures
from analysis.aggregation.measures import COMPONENTS
from analysis.goals import Goal
from analysis.methods import PERSONAL, contenders, is_reference, settings_words, start_words
from analysis.rendering import Record
from analysis.rows import named
from analysis.tables import clock_words


def note_of(goal: Goal) -> str:
    """What a reader of the table has to know, as far as its rows ask for it."""
    said = [
        f"{clock_words(goal.runs)}. Bytes are of one client in a round, means over all updates; with the adapter is "
        "the file's header. In all: all clients', down + up."
    ]
    if any(measures.has_errors(run) for run in goal.runs):
        said.append(
            "Errors are relative to the round's change of s B A: made, of what the method made of the round; "
            "averaging, of the mean of the factors; truncation, of the best factors of rank r. Compare them within a "
            "row: each method is measured by its own clients' change."
        )
    if any(map(measures.spent, goal.runs)):
        said.append("Epsilon is that of all rounds.")
    if any(run.header.method in PERSONAL for run in goal.runs):
        said.append(
            "Personal: the mean over the clients' own models, not comparable with a global one; the error made is that "
            "of a mean of B which no client is given."
        )
    if len(contenders(goal.runs)) < len(goal.runs):
        said.append("The reference trains on all clients' data in one place: nothing travels, and it is not ranked.")
    return " ".join([*said, f"{units.NOT_REACHED}: not reached."])


def record_of(goal: Goal, at: int) -> Record:
    """The raw values of a row: the same keys whatever the table shows."""
    run, target = goal.runs[at], goal.targets[at]
    record = named(run) | {
        "label": goal.labels[at],
        "start": start_words(run),
        "settings": settings_words(run),
        "metric": target.metric,
        "best": targets.best_metric(run.rounds, target.metric),
        "last": measures.last_metric(run, target.metric),
        "rounds": len(run.rounds),
        "clock": run.header.clock,
    }
    for fraction in goal.fractions:
        crossing = targets.first_crossing(run.rounds, target, fraction)
        record[f"to_{fraction * 100:g}_s"] = crossing.elapsed_s if crossing else math.inf
    for way, payload in (("download", measures.download(run)), ("upload", measures.upload(run))):
        record[f"client_{way}_bytes"] = payload.whole if payload else None
        record[f"client_{way}_adapter_bytes"] = payload.adapter if payload else None
        record[f"client_{way}_head_bytes"] = payload.head if payload else None
    record["payload_bytes"] = 0 if is_reference(run) else targets.payload_bytes(run.rounds)
    for component in COMPONENTS:
        found = measures.errors(run, component)
        record[f"{component}_mean"] = found.mean if found else None
        record[f"{component}_last"] = found.last if found else None
    spent = measures.spent(run)
    record["epsilon"] = spent.epsilon if spent else None
    record["delta"] = spent.delta if spent else None
    return record
