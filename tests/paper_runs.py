"""Makes runs for tests of the paper's tables: curves under given seconds, in the paper's settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from run_folders import client_record, header, round_record
from run_folders import run as any_run

from analysis.load import Run
from analysis.paper import reference
from harness import profiles
from harness.profiles import Experiment
from harness.records import Parameters

TASKS = {"accuracy": "text-classification", "f1": "token-classification", "exact_match": "question-answering"}


def setting(
    model: str = "roberta-base", dataset: str = "20newsgroups", trained: str | None = None, **changes: Any
) -> Experiment:
    """The paper's setting for a model and a data set on a virtual fleet; ``changes`` replace parts of it.

    ``trained`` is the name of a model that stands in for ``model``.
    """
    setup = reference.SETUPS[dataset]
    aims = [{"metric": m, "value": reference.TARGETS.get((dataset, m), 0.5)} for m in setup.metrics]
    parts: dict[str, Any] = {
        "name": f"{dataset}-{trained or model}",
        "description": "A setting of the paper, in tests.",
        "fleet": "virtual",
        "model": {"name": trained or model, "timed_as": model if trained else None, "hub": "tests/none"},
        "dataset": {"name": dataset, "task": TASKS[setup.metrics[0]], "hub": "tests/none"},
        "device": {"name": "table8"},
        "link": {"name": "table8"},
        "partition": {"clients": setup.clients, "alpha": setup.alpha},
        "rounds": {"count": 700, "clients_per_round": setup.clients_per_round},
        "target": aims[0],
        "further_targets": aims[1:],
    }
    for key, value in changes.items():
        parts[key] = parts.get(key, {}) | value if isinstance(value, dict) else value
    return profiles.build(parts, "tests")


def curve(
    method: str,
    reached: Mapping[int, float],
    of: Experiment | None = None,
    train_s: float = 3.27,
    one_way_s: float = 1.68,
    seed: int = 0,
    **about: Any,
) -> Run:
    """A run whose metrics stand at 0.1 but in the rounds of ``reached``, and whose rounds take train + 2 transfers.

    FeDeRA's clock starts after its SVD (8.62 s). ``about`` replaces fields of the header.
    """
    of = of or setting()
    svd_s = 8.62 if method == "federa" else 0.0
    metrics = [target.metric for target in of.targets]
    rounds = tuple(
        round_record(
            number,
            metrics=dict.fromkeys(metrics, reached.get(number, 0.1)),
            elapsed_s=svd_s + number * (train_s + 2 * one_way_s),
        )
        for number in range(1, max(reached, default=1) + 1)
    )
    clients = (client_record(train_s=train_s, download_s=one_way_s * 0.5, upload_s=one_way_s * 1.5),)
    about = {"parameters": Parameters(adapter=1_179_648, head=605_972, total=125_000_000), "svd_s": svd_s} | about
    made = header(method, seed, of, **({"run_id": f"{of.name}-{method}-{seed}"} | about))
    return Run(made, rounds, clients, any_run().path)
