"""Makes runs whose rounds follow from their clients' seconds, as in recorded runs; nothing is trained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import msgspec
import run_folders

from analysis.load import Run
from harness.links import transfer
from harness.profiles import Experiment, LinkProfile, Method
from harness.records import ClientRecord, Clock
from harness.rounds.events import Aggregated, Evaluated
from harness.rounds.phases import ClosedRound, round_record

LTE = LinkProfile(name="lte", rate_mbps=5.0, latency_s=0.04)
STATE_BYTES = 1_000_000
AGGREGATE_S = 0.125


def experiment(**changes: Any) -> Experiment:
    """A made-up experiment, with a link whose rate changes; timed as RoBERTa-base on 20Newsgroups."""
    parts: dict[str, Any] = {
        "model": {"timed_as": "roberta-base"},
        "dataset": {"timed_as": "20newsgroups"},
        "link": LinkProfile(name="wifi", rate_min_mbps=20.0, rate_max_mbps=30.0, latency_s=0.002),
        **changes,
    }
    return run_folders.experiment(**parts)


def client(run: Experiment, method: str, number: int, client: int, **changes: Any) -> ClientRecord:
    """A client that trains for 2 s and more; a transfer took ``beyond_s`` longer than the run's link says."""
    beyond_s = changes.pop("beyond_s", 0.0)
    base = run_folders.client_record(
        number,
        client,
        train_s=2.0 + 0.25 * client,
        download_bytes=STATE_BYTES,
        upload_bytes=STATE_BYTES,
        other_s=0.03125,
    )
    base = msgspec.structs.replace(base, **changes)
    setting, seed = run.setting(cast("Method", method)), run.seeds.link
    down = transfer(run.link, setting, seed, number, client, "down", base.download_bytes)
    up = transfer(run.link, setting, seed, number, client, "up", base.upload_bytes)
    base = msgspec.structs.replace(base, download_s=down.seconds + beyond_s, upload_s=up.seconds + beyond_s)
    names = ("download_s", "load_s", "train_s", "serialise_s", "upload_s", "other_s")
    return msgspec.structs.replace(base, total_s=sum(getattr(base, name) for name in names))


def timed_run(
    method: str = "federa",
    metrics: Sequence[float | None] = (0.5, 0.73, 0.77, 0.8),
    of: Experiment | None = None,
    clock: Clock = "critical path",
    late_s: float = 0.0,
    seed: int = 0,
    **clients: Any,
) -> Run:
    """A run of two clients a round; FeDeRA takes an SVD of 0.25 s and ships its factors.

    A round on the wall takes ``late_s`` beyond its critical path; ``clients`` are changes of each client's record.
    """
    run = experiment() if of is None else of
    trained = [[client(run, method, number, who, **clients) for who in (1, 2)] for number in range(1, len(metrics) + 1)]
    state_bytes = trained[0][0].download_bytes if trained else 0
    setting = run.setting(cast("Method", method))
    shipped = transfer(run.link, setting, run.seeds.link, 0, 0, "init", state_bytes)
    svd_s, ship_s = (0.25, shipped.seconds) if method == "federa" else (0.0, 0.0)
    rounds, elapsed_s = [], svd_s + ship_s
    for number, (records, metric) in enumerate(zip(trained, metrics, strict=True), start=1):
        record = round_record(
            ClosedRound(
                round=number,
                clock=clock,
                elapsed_before_s=elapsed_s,
                wall_s=max(each.total_s for each in records) + AGGREGATE_S + late_s,
                selected=(1, 2),
                clients=tuple(records),
                failed=(),
                aggregated=Aggregated(at_s=0.0, round=number, state_sha256="e" * 64, aggregate_s=AGGREGATE_S),
                evaluated=None if metric is None else _evaluated(number, metric, run),
            )
        )
        rounds.append(record)
        elapsed_s = record.elapsed_s
    header = run_folders.header(method, seed, run, svd_s=svd_s, ship_s=ship_s, init_s=svd_s + ship_s, clock=clock)
    return Run(header, tuple(rounds), tuple(each for records in trained for each in records), Path("runs") / method)


def _evaluated(number: int, metric: float, run: Experiment) -> Evaluated:
    metrics = {target.metric: metric for target in run.targets}
    return Evaluated(at_s=0.0, round=number, metrics=metrics, evaluate_s=0.5)


def rising(reached: int, value: float = 0.72) -> tuple[float, ...]:
    """Metrics of a curve that first reaches ``value`` in round ``reached``, which is its last."""
    return (*(value * number / (reached + 1) for number in range(1, reached)), value)
