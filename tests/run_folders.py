"""Makes run folders for tests, from the structs a run is recorded with. Same arguments, same bytes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from analysis.load import Run
from harness import profiles
from harness.profiles import Experiment, fingerprint
from harness.records import ClientRecord, Failure, Header, Parameters, Partition, RoundRecord

EXPERIMENT = profiles.build(
    {
        "name": "made-up",
        "description": "Made-up numbers, to show and test reports; nothing was trained.",
        "model": {"name": "tiny", "embedded": "tiny"},
        "dataset": {"name": "topics", "embedded": "topics"},
        "device": {"name": "desk", "threads": 1},
        "link": {"name": "wifi", "rate_mbps": 25.0},
        "rounds": {"count": 30, "clients_per_round": 4},
        "partition": {"clients": 40},
    },
    "tests",
)
QUESTIONS = profiles.build(
    msgspec.to_builtins(EXPERIMENT)
    | {
        "name": "made-up-questions",
        "dataset": {"name": "questions", "task": "question-answering", "embedded": "questions"},
        "target": {"metric": "exact_match", "value": 0.65},
        "further_targets": [{"metric": "f1", "value": 0.8}],
    },
    "tests",
)
"""With two targets, as SQuAD has them."""


TOPICS = ("sport", "science", "creative-work+location+person", "politics", "weather", "corporation+location+person")


def experiment(**changes: Any) -> Experiment:
    """The made-up experiment with some parts replaced: experiment(target={"value": 0.9})."""
    parts = {
        key: msgspec.structs.replace(getattr(EXPERIMENT, key), **value) if isinstance(value, dict) else value
        for key, value in changes.items()
    }
    return msgspec.structs.replace(EXPERIMENT, **parts)


def header(method: str = "federa", seed: int = 0, of: Experiment = EXPERIMENT, **changes: Any) -> Header:
    """A header of a finished run."""
    base = Header(
        run_id=f"{of.name}-{method}-{seed}",
        method=method,
        seed=seed,
        profile=msgspec.json.decode(msgspec.json.encode(of)),
        profile_sha256=fingerprint(of),
        parameters=Parameters(adapter=147_456, head=18_180, total=4_000_000),
        svd_s=0.25,
        ship_s=0.5,
        init_s=0.75,
        provision_s=3.0,
        clock="critical path",
        agents=("agent-1", "agent-2"),
        environment={"cores": 2, "versions": {"python": "3.10"}},
        state="done",
        started_at="2026-01-02T03:04:05+00:00",
    )
    return msgspec.structs.replace(base, **changes)


def round_record(number: int, metric: float | None = None, **changes: Any) -> RoundRecord:
    """A round of 4 s that ends at 4 s times its number; 1,000 bytes each way."""
    base = RoundRecord(
        round=number,
        elapsed_s=4.0 * number,
        round_s=4.0,
        wall_s=4.0,
        critical_path_s=4.0,
        download_s=0.5,
        load_s=0.25,
        train_s=2.0,
        upload_s=0.75,
        wait_s=0.25,
        aggregate_s=0.125,
        other_s=0.125,
        evaluate_s=None if metric is None else 0.5,
        metrics={} if metric is None else {"accuracy": metric},
        selected=(1, 2),
        completed=(1, 2),
        failed=(),
        download_bytes=1000,
        upload_bytes=1000,
        wire_bytes=2100,
        state_sha256=f"{number:064x}",
    )
    return msgspec.structs.replace(base, **changes)


def client_record(number: int = 1, client: int = 1, **changes: Any) -> ClientRecord:
    """An update that trained for 2 s with a core of its own, over a link that gave what it promised."""
    base = ClientRecord(
        round=number,
        client=client,
        agent="agent-1",
        attempt=1,
        samples=100,
        steps=7,
        tokens=3200,
        download_s=0.5,
        load_s=0.25,
        train_s=2.0,
        serialise_s=0.0625,
        upload_s=0.75,
        other_s=0.0,
        total_s=3.5625,
        provision_s=0.0,
        train_cpu_s=1.9,
        download_bytes=500,
        upload_bytes=500,
        wire_bytes=1050,
        download_bps=25e6,
        upload_bps=25e6,
        link_down_bps=25e6,
        link_up_bps=25e6,
        loss=1.0,
        peak_rss_bytes=500_000_000,
        warm_up=False,
        update_sha256=f"{client:064x}",
    )
    return msgspec.structs.replace(base, **changes)


def partition(clients: int = 40, classes: int = 12, alpha: float = 0.1, seed: int = 0) -> Partition:
    """Some 100 samples for each client, their classes drawn from a Dirichlet of their own."""
    chance = np.random.default_rng(seed)
    shares = chance.dirichlet([alpha] * classes, size=clients)
    counts = [chance.multinomial(100 + client % 7, row) for client, row in enumerate(shares)]
    return Partition(
        kind="dirichlet",
        alpha=alpha,
        seed=seed,
        classes=tuple(f"{TOPICS[place % len(TOPICS)]}-{place}" for place in range(classes)),
        counts=tuple(tuple(row.tolist()) for row in counts),
    )


def run(
    metrics: Sequence[float | None] = (0.5, 0.73, 0.77, 0.8), clients: Sequence[ClientRecord] = (), **of: Any
) -> Run:
    """A run in memory with one round for each metric; None is a round that was not evaluated."""
    rounds = tuple(round_record(number, metric) for number, metric in enumerate(metrics, start=1))
    return Run(header(**of), rounds, tuple(clients), Path("runs") / "in-memory")


def write(folder: Path, made: Run) -> Path:
    """Write a run as the folder a run leaves behind."""
    folder.mkdir(parents=True)
    (folder / "header.json").write_bytes(msgspec.json.encode(made.header))
    if made.partition is not None:
        (folder / "partition.json").write_bytes(msgspec.json.encode(made.partition))
    for name, records in (("rounds.jsonl", made.rounds), ("clients.jsonl", made.clients)):
        (folder / name).write_bytes(b"".join(msgspec.json.encode(record) + b"\n" for record in records))
    return folder


@dataclass(frozen=True)
class Demo:
    """A method's made-up behaviour: trained parameters, seconds of training, how fast and how far accuracy rises."""

    adapter: int
    train_s: float
    rise: float
    ceiling: float


DEMO: Mapping[str, Demo] = {
    "fedft": Demo(3_900_000, 5.4, 0.30, 0.852),
    "fedbf": Demo(14_000, 2.2, 0.09, 0.789),
    "fedap": Demo(220_000, 3.1, 0.15, 0.826),
    "fedlr": Demo(147_456, 2.6, 0.13, 0.819),
    "federa": Demo(147_456, 2.7, 0.21, 0.833),
}


def demo(
    method: str, rounds: int = 30, seed: int = 0, of: Experiment = EXPERIMENT, holding: Partition | None = None
) -> Run:
    """A whole made-up run of one method, with a failed client, warm-up and, for FedBF, a target it never reaches."""
    look = DEMO[method]
    svd_s = 0.84 if method == "federa" else 0.0
    payload = 4 * (look.adapter + 18_180)
    transfer_s = 8 * payload / 24.1e6 + 0.004
    elapsed_s = svd_s + transfer_s
    records, clients = [], []
    for number in range(1, rounds + 1):
        wave = math.sin(1.7 * number + len(method) + seed)
        train_s = look.train_s * (1 + 0.08 * wave)
        parts = [transfer_s, 0.12, train_s, transfer_s * 1.03, 0.3 + 0.1 * wave, 0.05, 0.09]
        elapsed_s += sum(parts)
        lost = method == "fedap" and number in (7, 19)
        chosen = tuple((7 * number + place) % 40 for place in range(4))
        completed = chosen[:3] if lost else chosen
        accuracy = look.ceiling * (1 - math.exp(-look.rise * (number + 1))) + 0.008 * wave * math.exp(-0.06 * number)
        records.append(
            round_record(
                number,
                round(accuracy, 4),
                metrics=_metrics(round(accuracy, 4), of),
                elapsed_s=elapsed_s,
                round_s=sum(parts),
                wall_s=sum(parts) * 2.1,
                critical_path_s=sum(parts),
                **dict(
                    zip(
                        ("download_s", "load_s", "train_s", "upload_s", "wait_s", "aggregate_s", "other_s"),
                        parts,
                        strict=True,
                    )
                ),
                selected=chosen,
                completed=completed,
                failed=(Failure(client=chosen[3], agent="agent-2", reason="the agent was lost"),) if lost else (),
                download_bytes=payload * len(completed),
                upload_bytes=payload * len(completed),
                wire_bytes=int(payload * len(completed) * 2.01),
            )
        )
        for client in completed:
            clients.append(
                client_record(
                    number,
                    client,
                    train_s=train_s,
                    train_cpu_s=train_s * (0.66 if method == "fedft" else 0.97),
                    download_bytes=payload,
                    upload_bytes=payload,
                    wire_bytes=int(payload * 2.01),
                    download_bps=24.1e6,
                    upload_bps=23.6e6,
                    warm_up=number == 1,
                )
            )
    made = header(
        method,
        seed,
        of,
        run_id=f"20260102-030405-{of.name}-{method}-{seed}",
        parameters=Parameters(adapter=look.adapter, head=18_180, total=4_100_000),
        svd_s=svd_s,
        ship_s=transfer_s,
        init_s=svd_s + transfer_s,
        environment={
            "platform": "Linux",
            "cores": 2,
            "memory_bytes": 16_000_000_000,
            "versions": {"python": "3.11", "torch": "2.x"},
        },
        warnings=("2 agents of 1 thread share 2 cores with the server: seconds on the wall speak of this machine",),
    )
    return Run(made, tuple(records), tuple(clients), Path("runs") / method, partition=holding)


def _metrics(accuracy: float, of: Experiment) -> dict[str, float]:
    """The accuracy by the names of the experiment's targets: the second metric is a step ahead of the first."""
    found = {target.metric: accuracy - 0.15 + 0.15 * place for place, target in enumerate(of.targets)}
    return found if len(found) > 1 else {of.target.metric: accuracy}


def write_demo(
    folder: Path, methods: Sequence[str] = tuple(DEMO), seeds: Sequence[int] = (0,), **of: Any
) -> list[Path]:
    """Write demonstration runs below ``folder``; their folders. ``of`` is the experiment, ``holding`` the partition."""
    made = [demo(method, seed=seed, **of) for method in methods for seed in seeds]
    return [write(folder / each.header.run_id, each) for each in made]
