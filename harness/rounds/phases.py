"""The arithmetic of a closed round: from its clients' records to its own."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from harness.records import ClientRecord, Clock, Failure, Late, RoundRecord
from harness.rounds.events import Aggregated, Evaluated


class ClosedRound(msgspec.Struct, frozen=True, kw_only=True):
    """A round that is aggregated. ``clients`` are in the order of their acceptance, at least one.

    ``elapsed_before_s`` is the benchmark clock at its begin, ``wall_s`` the seconds from then to the new state.
    """

    round: int
    clock: Clock
    elapsed_before_s: float
    wall_s: float
    selected: tuple[int, ...]
    clients: tuple[ClientRecord, ...]
    failed: tuple[Failure, ...]
    spare: tuple[int, ...] = ()
    late: tuple[Late, ...] = ()
    aggregated: Aggregated
    evaluated: Evaluated | None


class Phases(msgspec.Struct, frozen=True, kw_only=True):
    """The phases of a round, named as in RoundRecord; they sum to ``round_s``."""

    round_s: float
    download_s: float
    load_s: float
    train_s: float
    upload_s: float
    wait_s: float
    aggregate_s: float
    other_s: float


def slowest(clients: Sequence[ClientRecord]) -> ClientRecord:
    """The client whose own time is the longest; of equals the one with the lowest number."""
    return max(clients, key=lambda record: (record.total_s, -record.client))


def critical_path_s(clients: Sequence[ClientRecord], aggregate_s: float) -> float:
    """A round as a fleet with a device for each client would take: its slowest client, then aggregation."""
    return slowest(clients).total_s + aggregate_s


def phases(clock: Clock, clients: Sequence[ClientRecord], wall_s: float, aggregate_s: float) -> Phases:
    """The phases of the client that the round waited for: the slowest one, or by the wall the one accepted last.

    By the wall, ``wait_s`` is what neither that client nor aggregation accounts for. Durations are measured on
    several clocks, so that they may claim a trifle more than the wall's seconds: ``wait_s`` is 0 then, and
    ``other_s`` takes the difference, because the phases always sum to the round.
    """
    client = clients[-1] if clock == "wall" else slowest(clients)
    round_s = wall_s if clock == "wall" else critical_path_s(clients, aggregate_s)
    wait_s = max(0.0, wall_s - client.total_s - aggregate_s) if clock == "wall" else 0.0
    claimed_s = client.download_s + client.load_s + client.train_s + client.upload_s + wait_s + aggregate_s
    return Phases(
        round_s=round_s,
        download_s=client.download_s,
        load_s=client.load_s,
        train_s=client.train_s,
        upload_s=client.upload_s,
        wait_s=wait_s,
        aggregate_s=aggregate_s,
        other_s=round_s - claimed_s,
    )


def energy_j(clients: Sequence[ClientRecord]) -> float | None:
    """The clients' energy together; null where one was not measured, for a part would look like the whole."""
    measured = [record.energy_j for record in clients if record.energy_j is not None]
    return sum(measured) if len(measured) == len(clients) else None


def wire_bytes(clients: Sequence[ClientRecord]) -> int | None:
    """The clients' bytes on the wire together; null where one has none."""
    measured = [record.wire_bytes for record in clients if record.wire_bytes is not None]
    return sum(measured) if len(measured) == len(clients) else None


def round_record(closed: ClosedRound) -> RoundRecord:
    """The line of ``rounds.jsonl``."""
    clients, aggregated, evaluated = closed.clients, closed.aggregated, closed.evaluated
    parts = phases(closed.clock, clients, closed.wall_s, aggregated.aggregate_s)
    return RoundRecord(
        round=closed.round,
        elapsed_s=closed.elapsed_before_s + parts.round_s,
        wall_s=closed.wall_s,
        critical_path_s=critical_path_s(clients, aggregated.aggregate_s),
        evaluate_s=None if evaluated is None else evaluated.evaluate_s,
        metrics={} if evaluated is None else evaluated.metrics,
        selected=closed.selected,
        completed=tuple(sorted(record.client for record in clients)),
        failed=closed.failed,
        download_bytes=sum(record.download_bytes for record in clients),
        upload_bytes=sum(record.upload_bytes for record in clients),
        wire_bytes=wire_bytes(clients),
        energy_j=energy_j(clients),
        drift=aggregated.drift,
        server=aggregated.server,
        errors=aggregated.errors,
        privacy=aggregated.privacy,
        client_metrics=evaluated.client_metrics if evaluated else {},
        spare=closed.spare,
        late=closed.late,
        state_sha256=aggregated.state_sha256,
        **msgspec.structs.asdict(parts),
    )
