"""What privacy costs: the metric beside epsilon, and all that epsilon follows from; pure."""

from __future__ import annotations

from collections.abc import Sequence

from analysis import targets, units
from analysis.aggregation import measures
from analysis.aggregation.table import epsilon
from analysis.facets import power_of_ten
from analysis.goals import goal_of
from analysis.load import Run
from analysis.methods import own_words, settings_of
from analysis.rendering import Column, Record, Table
from analysis.rows import named, number
from analysis.tables import NOTHING
from harness.records import PrivacySpent

PRIVACY = "privacy"
MECHANISMS = {"sample": "DP-SGD", "client": "server noise"}
NEAREST = " (nearest)"
"""Behind an epsilon of a way of drawing clients that the accountant does not know."""


def compared(runs: Sequence[Run]) -> tuple[Run, ...]:
    """The runs with privacy, and those of the same methods and settings without; none where no run has any."""
    private = {_but_for_noise(run) for run in runs if measures.spent(run)}
    return tuple(run for run in runs if _but_for_noise(run) in private)


def _but_for_noise(run: Run) -> tuple[str, ...]:
    """Method and settings without those of privacy and the learning rate, which each noise has a best one of."""
    own = settings_of(run)
    words = own_words(run.header.method, own) | {"privacy": ""}
    return run.header.method, str(own.scaffold), *words.values()


def privacy_table(runs: Sequence[Run], place: int = 0) -> Table:
    """Epsilon with all that it follows from, beside the metric; one row a run, no rows where no run has privacy."""
    goal = goal_of(runs, place)
    private = [id(run) for run in compared(goal.runs)]
    kept = [
        (label, run, target.metric)
        for label, run, target in zip(goal.labels, goal.runs, goal.targets, strict=True)
        if id(run) in private
    ]
    metric = "metric" if len(goal.metrics) > 1 else goal.metric_words
    records = tuple(_record(run, name) for _, run, name in kept)
    return Table(
        name=f"{PRIVACY}{goal.suffix}",
        title=f"{goal.metric_words[:1].upper()}{goal.metric_words[1:]} and the epsilon that was spent",
        note="Epsilon of all rounds at delta, by Opacus' accountant; where samples are protected, of the client that "
        "spent most. Rate: the share of samples or clients that each step of noise draws."
        f"{_unit_words([run for _, run, _ in kept])}{_nearest_words([run for _, run, _ in kept])}",
        columns=(
            Column("method", numeric=False),
            Column("epsilon"),
            Column("delta"),
            Column(f"best {metric}"),
            Column(f"last {metric}"),
            Column("mechanism", numeric=False, extra=True),
            *(Column(head, extra=True) for head in ("noise", "clip", "rate", "steps")),
            Column("accountant", numeric=False, extra=True),
        ),
        rows=tuple(
            (label, *_cells(measures.spent(run), record)) for (label, run, _), record in zip(kept, records, strict=True)
        ),
        records=records,
    )


def _cells(spent: PrivacySpent | None, record: Record) -> tuple[str, ...]:
    metrics = [units.metric(number(record[key])) for key in ("best", "last")]
    if spent is None:
        return epsilon(None), "", *metrics, NOTHING, "", "", "", "", ""
    return (
        f"{epsilon(spent.epsilon)}{'' if spent.exact else NEAREST}",
        power_of_ten(spent.delta),
        *metrics,
        MECHANISMS[spent.unit],
        f"{spent.noise_multiplier:g}",
        f"{spent.clip:g}",
        units.significant(spent.sample_rate),
        units.count(spent.steps),
        spent.accountant.upper(),
    )


def _unit_words(runs: Sequence[Run]) -> str:
    if len({spent.unit for run in runs if (spent := measures.spent(run))}) < len(MECHANISMS):
        return ""
    return " Epsilon of a sample (DP-SGD) and of a client (server noise) are not the same promise."


def _nearest_words(runs: Sequence[Run]) -> str:
    if all(spent.exact for run in runs if (spent := measures.spent(run))):
        return ""
    return f"{NEAREST}: a round draws a fixed number of clients, and epsilon is that of drawing each by chance."


def _record(run: Run, metric: str) -> Record:
    spent = measures.spent(run)
    keys = ("epsilon", "delta", "unit", "noise_multiplier", "clip", "sample_rate", "steps", "accountant")
    record = named(run) | {key: getattr(spent, key) if spent else None for key in keys}
    return record | {
        "exact": None if spent is None else "yes" if spent.exact else "no",
        "metric": metric,
        "best": targets.best_metric(run.rounds, metric),
        "last": measures.last_metric(run, metric),
    }
