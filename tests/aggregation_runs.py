"""Makes runs of ways of aggregating, with errors, the clients' own metrics and privacy. Same arguments, same run.

Nothing was trained: accuracies and errors are made up; bytes are those of RoBERTa-base with rank 32 and a small head.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import run_folders

from analysis.load import Run
from harness.profiles import Experiment, MethodProfile, PrivacyProfile
from harness.records import ErrorComponents, Parameters, PrivacySpent, RoundRecord

ADAPTER, HEAD = 1_179_648, 1_538
HALF = ADAPTER // 2
CLIENTS = 3


@dataclass(frozen=True)
class Look:
    """How a method behaves: parameters down and up in odd and even rounds, how it rises, and its errors' sizes."""

    down: tuple[int, int]
    up: tuple[int, int]
    rise: float
    ceiling: float
    averaging: float
    truncation: float
    made: float


BOTH, ONE = (ADAPTER, ADAPTER), (HALF, HALF)
LOOKS = {
    "fedft": Look((124_055_040,) * 2, (124_055_040,) * 2, 0.30, 0.91, 0, 0, 0),
    "fedlr": Look(BOTH, BOTH, 0.15, 0.855, 0.22, 0.16, 0.22),
    "federa": Look(BOTH, BOTH, 0.24, 0.88, 0.12, 0.10, 0.12),
    "ffa": Look(ONE, ONE, 0.12, 0.84, 3e-9, 2e-9, 3e-9),
    "fra": Look(BOTH, BOTH, 0.22, 0.872, 0.20, 0.13, 0.13),
    "fra-ffa": Look(BOTH, ONE, 0.21, 0.87, 0.10, 0.07, 0.07),
    "flexlora": Look(BOTH, BOTH, 0.19, 0.862, 0.21, 0.15, 0.15),
    "flora": Look((HEAD, 10 * ADAPTER), BOTH, 0.20, 0.866, 0.24, 0.19, 1e-8),
    "fedex": Look((11 * ADAPTER,) * 2, BOTH, 0.23, 0.876, 0.22, 0.17, 2e-8),
    "rolora": Look(ONE, ONE, 0.16, 0.858, 1e-9, 0.02, 1e-9),
    "fedsa": Look(ONE, ONE, 0.26, 0.89, 0.3, 0.2, 0.3),
    "fedsvd": Look(BOTH, ONE, 0.17, 0.86, 0, 1e-9, 0),
    "slora": Look(BOTH, BOTH, 0.14, 0.85, 0.18, 0.12, 0.18),
    "hetlora": Look(BOTH, BOTH, 0.13, 0.845, 0.25, 0.2, 0.31),
    "lora-fair": Look(BOTH, BOTH, 0.2, 0.868, 0.21, 0.15, 0.18),
    "central": Look(BOTH, BOTH, 0.28, 0.9, 0, 0, 0),
}
WITHOUT_FACTORS = ("fedft",)


def three_clients(method: str = "fedlr", settings: MethodProfile | None = None, **changes: Any) -> Experiment:
    """The made-up experiment with three clients that take part in every round, and a method's settings."""
    of = run_folders.experiment(
        partition={"clients": CLIENTS},
        rounds={"clients_per_round": CLIENTS},
        fleet="virtual" if method == "fedsa" else "zeromq",
        **changes,
    )
    return msgspec.structs.replace(of, methods={} if settings is None else {method: settings})


def run(
    method: str = "fra",
    rounds: int = 20,
    seed: int = 0,
    settings: MethodProfile | None = None,
    own: bool = True,
    privacy: PrivacyProfile | None = None,
    exact: bool = True,
) -> Run:
    """A whole run. ``own``: each client's model is evaluated; ``privacy``: of this kind, at the cost of accuracy."""
    look = LOOKS[method]
    if privacy is not None:
        settings = msgspec.structs.replace(settings or MethodProfile(), privacy=privacy)
    of = three_clients(method, settings)
    made = run_folders.header(
        method,
        seed,
        of,
        run_id=f"20260102-030405-{method}-{privacy.noise_multiplier if privacy else 0:g}-{seed}",
        parameters=Parameters(adapter=look.up[0], head=HEAD, total=124_600_000),
        clock="wall" if method == "central" else "critical path",
    )
    number = range(1, rounds + 1)
    clients = [client for n in number for client in _clients(method, look, n)]
    records = tuple(_round(method, look, n, seed, own, privacy, exact) for n in number)
    return Run(made, records, tuple(clients), Path("runs") / made.run_id)


def _clients(method: str, look: Look, number: int) -> list[Any]:
    down, up = (4 * (way[(number - 1) % 2] + HEAD) for way in (look.down, look.up))
    if method == "fedsa":
        down, up = down - 4 * HEAD, up - 4 * HEAD
    each = {"download_bytes": down, "upload_bytes": up}
    return [run_folders.client_record(number, client, **each) for client in _chosen(method)]


def _chosen(method: str) -> tuple[int, ...]:
    return (0,) if method == "central" else tuple(range(CLIENTS))


def _round(
    method: str, look: Look, number: int, seed: int, own: bool, privacy: PrivacyProfile | None, exact: bool
) -> RoundRecord:
    chosen, wave = _chosen(method), math.sin(1.7 * number + len(method) + seed)
    lost = 0.03 * privacy.noise_multiplier if privacy else 0.0
    accuracy = (look.ceiling - lost) * (1 - 0.45 * math.exp(-look.rise * number)) + 0.01 * wave
    apart = {
        client: accuracy - 0.05 * client * math.exp(-0.05 * number) + 0.02 * math.cos(number + client)
        for client in chosen
    }
    clients = _clients(method, look, number)
    return run_folders.round_record(
        number,
        round(accuracy, 4),
        selected=chosen,
        completed=chosen,
        download_bytes=sum(client.download_bytes for client in clients),
        upload_bytes=sum(client.upload_bytes for client in clients),
        errors=None if method in WITHOUT_FACTORS else _errors(look, number),
        privacy=None if privacy is None else _spent(privacy, number, exact),
        client_metrics={client: {"accuracy": round(value, 4)} for client, value in apart.items()} if own else {},
    )


def _errors(look: Look, number: int) -> ErrorComponents:
    grows = 1 + 0.4 * math.tanh(number / 8) + 0.06 * math.cos(number)
    return ErrorComponents(
        change=2.0 * math.exp(-0.06 * number) * (1 + look.rise),
        averaging=look.averaging * grows,
        truncation=look.truncation * grows,
        made=look.made * grows,
    )


def _spent(privacy: PrivacyProfile, number: int, exact: bool) -> PrivacySpent:
    return PrivacySpent(
        epsilon=2.4 * math.sqrt(number) / privacy.noise_multiplier,
        delta=privacy.delta,
        unit="sample" if privacy.kind == "dp-sgd" else "client",
        noise_multiplier=privacy.noise_multiplier,
        clip=privacy.clip,
        sample_rate=0.04,
        steps=25 * number,
        accountant=privacy.accountant,
        exact=exact,
    )


def write(folder: Path, made: Sequence[Run]) -> list[Path]:
    """Write the runs as the folders that runs leave behind."""
    return [run_folders.write(folder / each.header.run_id, each) for each in made]
