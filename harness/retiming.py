"""What a recorded run would have taken over another link or on another device: its seconds are computed anew. Pure.

What a round learns depends on neither, so accuracy by round, its clients and its failures stay as they were recorded.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import cast

import msgspec

from harness.devices import LocalSeconds, local_seconds
from harness.errors import StoreError
from harness.links import achieved_bps, transfer
from harness.profiles import DeviceProfile, Experiment, LinkProfile, Method, Setting
from harness.records import ClientRecord, Clock, Header, RoundRecord
from harness.rounds.phases import critical_path_s, energy_j, phases, slowest, wire_bytes

PHASES = ("download_s", "load_s", "train_s", "serialise_s", "upload_s", "other_s")
"""The phases of a client, which sum to its ``total_s``."""


class Conditions(msgspec.Struct, frozen=True, kw_only=True):
    """What a run is retimed under; None: as it was recorded. ``payload_factor`` times the bytes travel."""

    link: LinkProfile | None = None
    device: DeviceProfile | None = None
    payload_factor: float = 1.0


Retimed = tuple[Header, tuple[RoundRecord, ...], tuple[ClientRecord, ...]]


def has_rate(link: LinkProfile) -> bool:
    """Whether seconds over the link depend on bytes, in one direction at least."""
    return link.shaped or (link.up is not None and link.up.shaped)


def ships(header: Header) -> bool:
    """Whether something of the method went to each device before the first round, as factors of an SVD do."""
    if header.shipped_bytes is not None:
        return header.shipped_bytes > 0
    return bool(header.svd_s or header.ship_s)


def retimed(
    experiment: Experiment,
    header: Header,
    rounds: Sequence[RoundRecord],
    clients: Sequence[ClientRecord],
    conditions: Conditions,
) -> Retimed:
    """The records of a run as they would have been under ``conditions``.

    A link or device equal to the run's own leaves the recorded seconds as they are: what was measured beats a model.
    Only where other bytes travel is the own link computed too, if it has a rate.

    Raises:
        ProfileError: a table of seconds has no entry for what the run was timed as.
        StoreError: a round lacks the record of a client that completed it.
    """
    own = conditions.payload_factor == 1 or not has_rate(experiment.link)
    link = conditions.link or experiment.link
    differing = Conditions(
        link=None if own and link == experiment.link else link,
        device=None if conditions.device == experiment.device else conditions.device,
        payload_factor=conditions.payload_factor,
    )
    return recomputed(experiment, header, rounds, clients, differing)


def recomputed(
    experiment: Experiment,
    header: Header,
    rounds: Sequence[RoundRecord],
    clients: Sequence[ClientRecord],
    conditions: Conditions,
) -> Retimed:
    """As :func:`retimed`, with every second of a link or device that is given computed, the run's own ones too."""
    setting, link_seed = experiment.setting(cast("Method", header.method)), experiment.seeds.link
    changed = tuple(retimed_client(record, setting, link_seed, conditions) for record in clients)
    members: defaultdict[int, list[ClientRecord]] = defaultdict(list)
    for record in changed:
        members[record.round].append(record)
    begun = _begun(header, setting, link_seed, shipped_bytes_of(header, clients), conditions)
    elapsed_s, closed = begun.init_s or 0.0, []
    for number in rounds:
        after = _round(number, members[number.round], header.clock or "critical path", elapsed_s, conditions)
        closed.append(after)
        elapsed_s = after.elapsed_s
    return begun, tuple(closed), changed


def retimed_client(record: ClientRecord, setting: Setting, link_seed: int, conditions: Conditions) -> ClientRecord:
    """One update under ``conditions``: every second that a given link or device decides is computed.

    Processor seconds, memory and loss stay as they were recorded. What depends on the real wire or the real device and
    has no model becomes null: bytes on the wire, energy and all that sensors told, and the moments of phases.

    Raises:
        ProfileError: a table of seconds has no entry for the setting.
    """
    if conditions.payload_factor != 1:
        record = msgspec.structs.replace(
            record,
            download_bytes=scaled_bytes(record.download_bytes, conditions.payload_factor),
            upload_bytes=scaled_bytes(record.upload_bytes, conditions.payload_factor),
            wire_bytes=None,
        )
    if conditions.link is not None:
        record = _moved(record, setting, link_seed, conditions.link)
    if conditions.device is not None:
        measured = LocalSeconds(record.load_s, record.train_s, record.serialise_s, record.other_s)
        local = local_seconds(conditions.device, setting, record.steps, measured)
        record = msgspec.structs.replace(record, **local._asdict())
    if conditions.link is None and conditions.device is None:
        return record
    total_s = sum(getattr(record, name) for name in PHASES)
    return msgspec.structs.replace(record, total_s=total_s, energy_j=None, vitals=None, timeline=None)


def scaled_bytes(size_bytes: int, payload_factor: float) -> int:
    """A payload whose numbers take ``payload_factor`` of their bytes; part of a byte is a byte."""
    return math.ceil(size_bytes * payload_factor)


def _moved(record: ClientRecord, setting: Setting, link_seed: int, link: LinkProfile) -> ClientRecord:
    """The record with its payload moved over ``link``, by the traces that its round and client have there."""
    down = transfer(link, setting, link_seed, record.round, record.client, "down", record.download_bytes)
    up = transfer(link, setting, link_seed, record.round, record.client, "up", record.upload_bytes)
    return msgspec.structs.replace(
        record,
        download_s=down.seconds,
        upload_s=up.seconds,
        wire_bytes=None,
        download_bps=achieved_bps(record.download_bytes, down.seconds),
        upload_bps=achieved_bps(record.upload_bytes, up.seconds),
        link_down_bps=down.link_bps,
        link_up_bps=up.link_bps,
    )


def shipped_bytes_of(header: Header, clients: Sequence[ClientRecord]) -> int:
    """What was shipped before the first round. Before schema 6 only FeDeRA shipped anything, the state of round 0: it
    has as many bytes as any client downloads."""
    if header.shipped_bytes is not None:
        return header.shipped_bytes
    return clients[0].download_bytes if clients else 0


def _begun(header: Header, setting: Setting, link_seed: int, shipped_bytes: int, conditions: Conditions) -> Header:
    """The header with its seconds before the first round, where there are any."""
    if not ships(header):
        return header
    svd_s, ship_s = header.svd_s or 0.0, header.ship_s or 0.0
    if conditions.link is not None:
        ship_s = transfer(
            conditions.link,
            setting,
            link_seed,
            round=0,
            client=0,
            direction="init",
            size_bytes=scaled_bytes(shipped_bytes, conditions.payload_factor),
        ).seconds
    if conditions.device is not None and conditions.device.server.svd_s is not None:
        svd_s = conditions.device.server.svd_s
    return msgspec.structs.replace(header, svd_s=svd_s, ship_s=ship_s, init_s=svd_s + ship_s)


def _round(
    record: RoundRecord, clients: Sequence[ClientRecord], clock: Clock, elapsed_before_s: float, conditions: Conditions
) -> RoundRecord:
    """A round with its retimed clients. By the wall, what neither the slowest client nor aggregation explained stays.

    Raises:
        StoreError: a client that completed the round has no record.
    """
    missing = sorted(set(record.completed) - {client.client for client in clients})
    if missing:
        raise StoreError(
            f"clients.jsonl has no record of client {missing[0]} in round {record.round}, so that round cannot be "
            "retimed; restore the file, or write it anew with federa-bench resume"
        )
    record = msgspec.structs.replace(
        record,
        download_bytes=sum(client.download_bytes for client in clients),
        upload_bytes=sum(client.upload_bytes for client in clients),
        wire_bytes=wire_bytes(clients),
    )
    if conditions.link is None and conditions.device is None:
        return record
    said_s = None if conditions.device is None else conditions.device.server.aggregate_s
    aggregate_s = record.aggregate_s if said_s is None else said_s
    path_s = critical_path_s(clients, aggregate_s)
    wall_s = path_s + record.wall_s - record.critical_path_s
    parts = phases(clock, [slowest(clients)], wall_s, aggregate_s)
    return msgspec.structs.replace(
        record,
        elapsed_s=elapsed_before_s + parts.round_s,
        wall_s=wall_s,
        critical_path_s=path_s,
        energy_j=energy_j(clients),
        server=None,
        **msgspec.structs.asdict(parts),
    )
