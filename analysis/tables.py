"""The tables of a report, from runs: what people read (rows of text) and what programs read (records of raw values)."""

from __future__ import annotations

from collections.abc import Sequence

from analysis import stats, targets, units
from analysis.goals import goal_of, goals_of
from analysis.load import Run
from analysis.partitions import partition_table
from analysis.rendering import Column, Record, Table, Value
from analysis.targets import Crossing
from harness.profiles import TargetProfile
from harness.records import Parameters

TIME_TO_TARGET = "time-to-target"


def clock_words(runs: Sequence[Run]) -> str:
    """Which clock the seconds are of; those of a virtual fleet are of its profiles, not measured."""
    clocks = list(dict.fromkeys(clock_of(run) for run in runs))
    between = "; " if any("," in clock for clock in clocks) else ", "
    return f"clock: {clocks[0]}" if len(clocks) == 1 else f"clocks differ: {between.join(clocks)}"


def clock_of(run: Run) -> str:
    """The clock of a run; of a virtual fleet with the profiles that its seconds are of."""
    clock, profile = run.header.clock or "not started", run.experiment
    if profile.fleet != "virtual":
        return clock
    return f"{clock}, virtual: device {profile.device.name}, link {profile.link.name}"


def time_to_target(runs: Sequence[Run], place: int = 0) -> Table:
    """Time to each fraction of the target, with the round in parentheses and the payload until then. One row a run.

    ``place`` chooses among the targets of the profile; runs that have none there have no row.
    """
    goal = goal_of(runs, place)
    reached = goal.crossings()
    clock = units.legible_time_unit(c.elapsed_s for row in reached for c in row if c)
    totals = [targets.payload_bytes(run.rounds) for run in goal.runs]
    whole = units.byte_unit(totals)
    size = units.byte_unit([row[-1].payload_bytes for row in reached if row[-1]] or totals)
    columns = (
        Column("method", numeric=False),
        *(Column(f"{units.percent(fraction)}, {clock.symbol} (round)") for fraction in goal.fractions),
        Column(f"{size.symbol} to {units.percent(goal.fractions[-1])}"),
        Column(f"{whole.symbol} in all", extra=True),
        Column(f"best {'metric' if len(goal.metrics) > 1 else goal.metric_words}"),
        Column("adapter"),
        Column("head"),
    )
    rows = tuple(
        (
            label,
            *(f"{clock.number(c.elapsed_s)} ({c.round})" if c else units.NOT_REACHED for c in row),
            size.number(row[-1].payload_bytes) if row[-1] else units.NOT_REACHED,
            whole.number(total),
            units.metric(targets.best_metric(run.rounds, target.metric)),
            *_parameters(run.header.parameters),
        )
        for label, run, target, row, total in zip(goal.labels, goal.runs, goal.targets, reached, totals, strict=True)
    )
    records = tuple(
        _target_record(run, target, goal.fractions, row)
        for run, target, row in zip(goal.runs, goal.targets, reached, strict=True)
    )
    return Table(
        name=f"{TIME_TO_TARGET}{goal.suffix}",
        title=f"Time to {units.listing(units.percent(f) for f in goal.fractions)} of {goal.words}",
        note=f"{clock_words(goal.runs)}. Payload of all clients, up + down. Adapter and head: trained parameters. "
        f"{units.NOT_REACHED}: not reached.",
        columns=columns,
        rows=rows,
        records=records,
        never=frozenset(key for record in records for key in record if key.startswith("to_")),
        best=_fastest(reached, first_column=1) if len(goal.runs) > 1 else frozenset(),
    )


def times_to_targets(runs: Sequence[Run]) -> tuple[Table, ...]:
    """A time-to-target table for each target, the first first."""
    return tuple(time_to_target(runs, place) for place in range(len(goals_of(runs))))


def round_phases(runs: Sequence[Run]) -> Table:
    """Seconds of a round by phase, medians over a run's rounds; SVD and shipping, which are paid once, apart."""
    fields = ("round_s", "train_s", "communication_s", "load_s", "aggregate_s", "wait_s", "other_s", "wall_s")
    heads = ("round", "train", "communication", "load", "aggregate", "wait", "other", "wall")
    medians = [stats.round_medians(run.rounds) for run in runs]
    second = units.Unit("s", 1, 3)
    values: list[Record] = [
        {name: getattr(row, name) if row else None for name in fields}
        | {"svd_s": run.header.svd_s, "ship_s": run.header.ship_s, "provision_s": run.header.provision_s}
        for run, row in zip(runs, medians, strict=True)
    ]
    order = ("train_s", "communication_s", *fields[3:7], "round_s", "wall_s", "svd_s", "ship_s", "provision_s")
    headings = dict(zip(fields, heads, strict=True)) | {"svd_s": "SVD, once", "ship_s": "ship, once"}
    headings["provision_s"] = "provision, not counted"
    return Table(
        name="round-phases",
        title="Seconds per round",
        note=f"{clock_words(runs)}. Medians over rounds, each phase on its own; communication is download + upload"
        f"{_wall_words(runs)}.",
        columns=(
            Column("method", numeric=False),
            Column("rounds"),
            *(Column(headings[name], extra=name == "provision_s") for name in order),
        ),
        rows=tuple(
            (label, units.count(len(run.rounds)), *(second.number(_float(row[name])) for name in order))
            for label, run, row in zip(stats.labels(runs), runs, values, strict=True)
        ),
        records=tuple(
            _named(run) | {"rounds": len(run.rounds)} | {name: row[name] for name in order}
            for run, row in zip(runs, values, strict=True)
        ),
    )


def _wall_words(runs: Sequence[Run]) -> str:
    """What the wall's seconds are: a virtual fleet has a clock, but no wall."""
    if all(run.experiment.fleet == "virtual" for run in runs):
        return ", wall a round on the virtual clock"
    return ", wall what a round of all its clients took on these agents"


def transfers(runs: Sequence[Run]) -> Table:
    """Bytes: payload of one client in each direction, totals of the run, and the rates that links achieved."""
    records = tuple(_transfer_record(run) for run in runs)
    each = units.byte_unit(_float(r[key]) for r in records for key in ("client_download_bytes", "client_upload_bytes"))
    whole = units.byte_unit(_float(r[key]) for r in records for key in ("payload_bytes", "wire_bytes"))
    scales = {"client_download_bytes": each, "client_upload_bytes": each, "payload_bytes": whole, "wire_bytes": whole}
    scales |= dict.fromkeys(("download_bps", "link_down_bps", "upload_bps", "link_up_bps"), units.MBITS)
    return Table(
        name="transfers",
        title="Bytes and links",
        note="Payload is the blob itself, wire bytes count every frame both ways. Per client and rates: medians.",
        columns=(
            Column("method", numeric=False),
            Column(f"down per client, {each.symbol}"),
            Column(f"up per client, {each.symbol}"),
            Column(f"payload in all, {whole.symbol}"),
            Column(f"on the wire, {whole.symbol}"),
            *(Column(f"{head}, {units.MBITS.symbol}") for head in ("down", "link down", "up", "link up")),
        ),
        rows=tuple(
            (label, *(unit.number(_float(record[key])) for key, unit in scales.items()))
            for label, record in zip(stats.labels(runs), records, strict=True)
        ),
        records=records,
    )


def failures(runs: Sequence[Run]) -> Table:
    """Clients that did not complete their round, one row each."""
    found = [
        (label, run, record.round, failure)
        for label, run in zip(stats.labels(runs), runs, strict=True)
        for record in run.rounds
        for failure in record.failed
    ]
    return Table(
        name="failures",
        title="Clients that did not complete a round",
        note="One row for each failed client of a round.",
        columns=(
            Column("method", numeric=False),
            Column("round"),
            Column("client"),
            Column("agent", numeric=False),
            Column("reason", numeric=False),
        ),
        rows=tuple((label, str(n), str(f.client), f.agent, f.reason) for label, _, n, f in found),
        records=tuple(
            _named(run) | {"round": n, "client": f.client, "agent": f.agent, "reason": f.reason}
            for _, run, n, f in found
        ),
    )


def all_tables(runs: Sequence[Run]) -> tuple[Table, ...]:
    """Every table, in the order of a report."""
    return *times_to_targets(runs), round_phases(runs), transfers(runs), failures(runs), partition_table(runs)


def _named(run: Run) -> Record:
    return {"run": run.header.run_id, "method": run.header.method, "seed": run.header.seed}


def _parameters(parameters: Parameters | None) -> tuple[str, str]:
    if parameters is None:
        return units.NOT_MEASURED, units.NOT_MEASURED
    return units.count(parameters.adapter), units.count(parameters.head)


def _target_record(
    run: Run, target: TargetProfile, fractions: Sequence[float], row: Sequence[Crossing | None]
) -> Record:
    parameters = run.header.parameters
    record = _named(run) | {
        "state": run.header.state,
        "clock": run.header.clock,
        "rounds": len(run.rounds),
        "adapter_parameters": parameters.adapter if parameters else None,
        "head_parameters": parameters.head if parameters else None,
        "metric": target.metric,
        "target": target.value,
        "best": targets.best_metric(run.rounds, target.metric),
    }
    for fraction, crossing in zip(fractions, row, strict=True):
        key = f"to_{fraction * 100:g}"
        record[f"{key}_s"] = crossing.elapsed_s if crossing else None
        record[f"{key}_round"] = crossing.round if crossing else None
        record[f"{key}_bytes"] = crossing.payload_bytes if crossing else None
    return record | {"payload_bytes": targets.payload_bytes(run.rounds)}


def _transfer_record(run: Run) -> Record:
    down, up = stats.download_use(run), stats.upload_use(run)
    return _named(run) | {
        "client_download_bytes": stats.median_or_none(c.download_bytes for c in run.clients),
        "client_upload_bytes": stats.median_or_none(c.upload_bytes for c in run.clients),
        "payload_bytes": targets.payload_bytes(run.rounds),
        "wire_bytes": targets.wire_bytes(run.rounds),
        "download_bps": down.achieved_bps,
        "link_down_bps": down.link_bps,
        "upload_bps": up.achieved_bps,
        "link_up_bps": up.link_bps,
    }


def _fastest(reached: Sequence[Sequence[Crossing | None]], first_column: int) -> frozenset[tuple[int, int]]:
    """Cells of the shortest time in each column of crossings; equal times share the honour."""
    best = set()
    for column, crossed in enumerate(zip(*reached, strict=True)):
        times_s = [c.elapsed_s for c in crossed if c]
        best |= {(row, first_column + column) for row, c in enumerate(crossed) if c and c.elapsed_s == min(times_s)}
    return frozenset(best)


def _float(value: Value) -> float | None:
    return None if value is None or isinstance(value, str) else float(value)
