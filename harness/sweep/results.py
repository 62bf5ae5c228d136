"""What a sweep found, as rows, CSV and Markdown. Pure: outcomes of runs in, text out."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from harness.profiles import Method
from harness.sweep.choice import Outcome, runs_of
from harness.sweep.plan import Asked


class Spread(NamedTuple):
    """Mean and sample standard deviation: the mean is null of nothing, the deviation of fewer than two values."""

    mean: float | None
    std: float | None


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One learning rate of a method. ``*_runs`` ended, of which ``*_failed`` failed.

    ``validation_mean`` is what the rate was chosen by: a failed run counts as 0 there. ``test_mean`` is of the runs
    that are done. Standard deviations are those of a sample, n - 1.
    """

    method: Method
    lr: float
    chosen: bool
    metric: str
    validation_runs: int
    validation_failed: int
    validation_mean: float | None
    validation_std: float | None
    test_runs: int
    test_failed: int
    test_mean: float | None
    test_std: float | None


CAPTION = (
    "Best over the rounds, mean ± standard deviation over seeds. In validation a failed run counts as 0; the test's "
    "mean is of the runs that are done."
)


def spread(values: Sequence[float]) -> Spread:
    """Mean and deviation of values."""
    mean = statistics.fmean(values) if values else None
    return Spread(mean, statistics.stdev(values) if len(values) > 1 else None)


def rows(asked: Asked, outcomes: Sequence[Outcome], chosen: Mapping[Method, float]) -> tuple[Row, ...]:
    """A row for each method and rate, in the order of methods, largest rate first."""
    metric = asked.profile.target.metric
    return tuple(
        _row(method, lr, chosen.get(method) == lr, metric, outcomes)
        for method in asked.methods
        for lr in asked.lrs[method]
    )


def _row(method: Method, lr: float, chosen: bool, metric: str, outcomes: Sequence[Outcome]) -> Row:
    tried, tested = runs_of(outcomes, "validation", method, lr), runs_of(outcomes, "test", method, lr)
    measured = any(outcome.best is not None for outcome in tried)
    validation = spread([outcome.score for outcome in tried] if measured else [])
    test = spread([outcome.best for outcome in tested if outcome.state == "done" and outcome.best is not None])
    return Row(
        method=method,
        lr=lr,
        chosen=chosen,
        metric=metric,
        validation_runs=len(tried),
        validation_failed=_failed(tried),
        validation_mean=validation.mean,
        validation_std=validation.std,
        test_runs=len(tested),
        test_failed=_failed(tested),
        test_mean=test.mean,
        test_std=test.std,
    )


def _failed(outcomes: Sequence[Outcome]) -> int:
    return sum(outcome.state == "failed" for outcome in outcomes)


def columns(rows: Sequence[Row]) -> tuple[str, ...]:
    """The headings of :func:`cells`."""
    metric = rows[0].metric
    return ("method", "lr", f"validation {metric}", "runs", "chosen", f"test {metric}", "runs")


def cells(row: Row) -> tuple[str, ...]:
    """A row for people."""
    return (
        row.method,
        f"{row.lr:g}",
        _spoken(row.validation_mean, row.validation_std),
        _counted(row.validation_runs, row.validation_failed),
        "yes" if row.chosen else "",
        _spoken(row.test_mean, row.test_std),
        _counted(row.test_runs, row.test_failed),
    )


def _spoken(mean: float | None, std: float | None) -> str:
    if mean is None:
        return "-"
    return f"{mean:.4f}" if std is None else f"{mean:.4f} ± {std:.4f}"


def _counted(runs: int, failed: int) -> str:
    return f"{runs}, {failed} failed" if failed else str(runs or "-")


def to_csv(rows: Sequence[Row]) -> str:
    """Raw values, one line for each row; null is empty."""
    names = Row.__struct_fields__
    lines = [",".join(_raw(getattr(row, name)) for name in names) for row in rows]
    return "\n".join([",".join(names), *lines]) + "\n"


def _raw(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def to_markdown(title: str, rows: Sequence[Row]) -> str:
    """The rows as a table for people."""
    headings = columns(rows)
    lines = [headings, ["---"] * len(headings), *(cells(row) for row in rows)]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"# {title}\n\n{table}\n\n{CAPTION}\n"
