"""Lists for people: the runs there are, the experiments there are, what a command would do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from harness.errors import StoreError
from harness.profiles import Experiment, Method, MethodProfile
from harness.rounds.selection import cohort
from harness.store import RunFolder

if TYPE_CHECKING:  # numpy is only needed where clients are shown
    from harness.learning.clients import Clients


WIDE = 120
"""Columns of a terminal from which on a run's method and seed have columns of their own, beside its name."""


class RunRow(msgspec.Struct, frozen=True, kw_only=True):
    """How far a run is. ``state`` is "running" only while a controller holds the folder.

    Of a folder that cannot be read, all is unknown but its path, the state "unreadable" and the ``problem``.
    """

    path: str
    method: str | None = None
    seed: int | None = None
    state: str
    rounds_done: int | None = None
    rounds: int | None = None
    metric: str | None = None
    last: float | None = None
    elapsed_s: float | None = None
    reason: str | None = None
    next_command: str | None = None
    problem: str | None = None


def runs(paths: Sequence[Path], out: Path) -> list[RunRow]:
    """Rows of the given run folders, or of all below ``out``, oldest first.

    Raises:
        UsageError: a given folder is no run folder.
        StoreError: a given folder cannot be read; below ``out`` one that cannot is a row that says so.
    """
    if paths:
        return [_row(RunFolder.open(path)) for path in paths]
    return [_row_or_problem(header.parent) for header in sorted(out.glob("*/header.json"))]


def _row_or_problem(path: Path) -> RunRow:
    try:
        return _row(RunFolder.open(path))
    except StoreError as error:
        return RunRow(path=str(path), state="unreadable", problem=str(error))


def _row(folder: RunFolder) -> RunRow:
    header, records = folder.read_header(), folder.read_rounds()
    state = header.state
    if state == "running" and not folder.is_locked():
        state = "interrupted"
    metric = str(header.profile["target"]["metric"])
    values = [record.metrics[metric] for record in records if metric in record.metrics]
    resumable = state in ("interrupted", "failed")
    return RunRow(
        path=str(folder.path),
        method=header.method,
        seed=header.seed,
        state=state,
        rounds_done=len(records),
        rounds=int(header.profile["rounds"]["count"]),
        metric=metric,
        last=values[-1] if values else None,
        elapsed_s=records[-1].elapsed_s if records else None,
        reason=header.reason if state == "failed" else None,
        next_command=f"federa-bench resume {folder.path}" if resumable else None,
    )


def show_runs(console: Console, rows: Sequence[RunRow], out: Path) -> None:
    """The rows as a table, and below it the command for each run that can go on."""
    of_out = all(Path(row.path).parent == out for row in rows)  # and not runs that were named
    sweeps = sorted(path.parent for path in out.glob("*/sweep.json")) if of_out else []
    if not rows and not sweeps:
        console.print(f"no runs in {out} yet; start one with: make bench METHOD=federa", markup=False, highlight=False)
        return
    wide = console.width >= WIDE
    extra = ("method", "seed") if wide else ()
    table = Table(
        Column("run", overflow="fold"),
        *(Column(name, no_wrap=True) for name in (*extra, "state", "rounds", "last metric", "clock")),
        box=box.SIMPLE_HEAD,
        padding=(0, 1),
        collapse_padding=True,
        pad_edge=False,
    )
    for row in rows:
        last = "-" if row.last is None else f"{row.metric} {row.last:.3f}"
        clock = "-" if row.elapsed_s is None else f"{row.elapsed_s:.1f} s"
        rounds = "-" if row.rounds is None else f"{row.rounds_done}/{row.rounds}"
        seed = "-" if row.seed is None else str(row.seed)
        extra = (row.method or "-", seed) if wide else ()
        table.add_row(escape(Path(row.path).name), *extra, row.state, rounds, escape(last), clock)
    if rows:
        console.print(table)
    failed = [f"{Path(row.path).name} failed: {row.reason}" for row in rows if row.reason]
    commands = [f"go on with: {row.next_command}" for row in rows if row.next_command]
    unreadable = [f"unreadable: {row.problem}" for row in rows if row.problem]
    inside = [f"a sweep; its runs: federa-bench status --out {sweep}/test" for sweep in sweeps]
    for line in [*failed, *commands, *unreadable, *inside]:
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def show_clients(console: Console, clients: Clients) -> None:
    """What each client holds, and how far the clients are from each other."""
    table = Table("client", "samples", "classes", "largest class", "its share", "from whole")
    for client in clients.clients:
        largest = max(range(len(client.by_class)), key=client.by_class.__getitem__)
        share = client.by_class[largest] / client.samples
        held = sum(count > 0 for count in client.by_class)
        table.add_row(
            str(client.client),
            str(client.samples),
            str(held),
            escape(clients.classes[largest]),
            f"{share:.2f}",
            f"{client.from_whole:.3f}",
        )
    console.print(table)
    how = "" if clients.kind == "iid" else f", alpha {clients.alpha:g}"
    console.print(
        f"{clients.experiment}: {clients.samples:,} samples of {len(clients.classes)} classes, {len(clients.clients)} "
        f"clients ({clients.kind}{how}, seed {clients.seed})\nJensen-Shannon divergence, base 2: "
        f"{clients.mean_pairwise:.3f} between two clients, {clients.mean_from_whole:.3f} from the whole (means)",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )


def _said(settings: MethodProfile) -> str:
    """The learning rate, and what else is chosen beside the defaults, in the words of --set."""
    chosen = _differing(msgspec.to_builtins(settings), msgspec.to_builtins(MethodProfile()))
    rest = [f"{key} {value}" for key, value in chosen if key != "lr"]
    return ", ".join([f"lr {settings.lr:g}", *rest])


def _differing(one: dict[str, Any], other: dict[str, Any], path: str = "") -> list[tuple[str, Any]]:
    """The values of ``one`` that are not those of ``other``, by their paths."""
    found = []
    for key, value in one.items():
        if isinstance(value, dict):
            found += _differing(value, other[key], f"{path}{key}.")
        elif value != other[key]:
            found.append((f"{path}{key}", value))
    return found


def plan(console: Console, experiment: Experiment, methods: Sequence[Method]) -> None:
    """What a run would do, without doing it."""
    rounds = experiment.rounds
    first = cohort(experiment.seeds.cohort, 1, experiment.partition.clients, rounds.clients_per_round)
    each = f"{rounds.clients_per_round} clients each"
    each += f", the first of {rounds.chosen} chosen" if rounds.over_selection else ""
    partition = experiment.partition
    virtual = f" virtual, timed as device {experiment.device.name}" if experiment.virtual else ""
    virtual += ", trained on a Ray cluster" if experiment.fleet == "ray" else ""
    lines = {
        "experiment": f"{experiment.name}: {experiment.description}",
        "methods": ", ".join(f"{name} ({_said(experiment.method(name))})" for name in methods),
        "model, data": f"{experiment.model.name}, {experiment.dataset.name}",
        "clients": f"{partition.clients} ({partition.kind}, alpha {partition.alpha:g})",
        "rounds": f"{rounds.count}, {each}; the first: {', '.join(map(str, first))}",
        "agents, link": f"{experiment.agents_awaited}{virtual}, {experiment.link.name}",
        "target": f"{experiment.target.metric} {experiment.target.value:g}",
    }
    width = max(map(len, lines))
    for name, text in lines.items():
        console.print(f"{name:<{width}}  {text}", markup=False, highlight=False, soft_wrap=True)
    console.print("dry run: nothing was started", style="dim")
