"""Runs on agents for tests of measuring: their seconds are made of figures that measuring must find again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from run_folders import EXPERIMENT, client_record, header, round_record

from harness.links import transfer
from harness.measuring import Recorded
from harness.profiles import DeviceProfile, Experiment, LinkProfile
from harness.records import ClientRecord

WIFI = LinkProfile(name="wifi", rate_min_mbps=20.0, rate_max_mbps=30.0, latency_s=0.002)
UNSHAPED = LinkProfile(name="unshaped")
DESK = DeviceProfile(name="desk", threads=1)

STEP_S, LOAD_S, SERIALISE_S, OTHER_S = 0.02, 0.25, 0.0625, 0.03
DOWN_OVERHEAD_S, UP_OVERHEAD_S = 0.002, 0.001
AGGREGATE_S, SVD_S = 0.125, 8.0


def experiment(**changes: Any) -> Experiment:
    return msgspec.structs.replace(EXPERIMENT, **{"link": WIFI, "device": DESK, **changes})


def update(of: Experiment, method: str, round: int, client: int, size_bytes: int) -> ClientRecord:
    """An update over the link of ``of``: each transfer takes a little more than its rate and latency say."""
    setting, seed = of.setting(method), of.seeds.link
    down_s = transfer(of.link, setting, seed, round, client, "down", size_bytes).seconds + DOWN_OVERHEAD_S
    up_s = transfer(of.link, setting, seed, round, client, "up", size_bytes).seconds + UP_OVERHEAD_S
    steps = 5 + client
    parts = {
        "download_s": down_s,
        "load_s": LOAD_S,
        "train_s": STEP_S * steps,
        "serialise_s": SERIALISE_S,
        "upload_s": up_s,
        "other_s": OTHER_S,
    }
    return client_record(
        round,
        client,
        steps=steps,
        download_bytes=size_bytes,
        upload_bytes=size_bytes,
        total_s=sum(parts.values()),
        **parts,
    )


def run(
    of: Experiment | None = None,
    method: str = "federa",
    rounds: int = 4,
    clients: int = 3,
    size_bytes: int = 1_000_000,
    updates: Sequence[ClientRecord] | None = None,
    name: str | None = None,
    **changes: Any,
) -> Recorded:
    """A run of ``rounds`` x ``clients`` updates; ``changes`` are of its header."""
    of = of or experiment()
    if updates is None:
        updates = [update(of, method, r, c, size_bytes) for r in range(1, rounds + 1) for c in range(clients)]
    return recorded(of, method, updates, name or f"runs/{method}", **changes)


def recorded(of: Experiment, method: str, updates: Sequence[ClientRecord], name: str, **changes: Any) -> Recorded:
    """The run that has these updates: each round is its slowest client and aggregation."""
    closed = []
    for number in sorted({record.round for record in updates}):
        of_round = [record for record in updates if record.round == number]
        path_s = max(record.total_s for record in of_round) + AGGREGATE_S
        closed.append(
            round_record(
                number,
                round_s=path_s,
                critical_path_s=path_s,
                wall_s=2 * path_s,
                aggregate_s=AGGREGATE_S,
                completed=tuple(record.client for record in of_round),
            )
        )
    svd = {"svd_s": SVD_S, "ship_s": 0.5, "init_s": SVD_S + 0.5} if method == "federa" else {}
    none = {"svd_s": 0.0, "ship_s": 0.0, "init_s": 0.0}
    return Recorded(name, of, header(method, of=of, **{**none, **svd, **changes}), tuple(closed), tuple(updates))
