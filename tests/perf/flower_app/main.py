"""A run of Flower's simulation that does what a job says: FedAvg over its cohorts, then one evaluation.

    FEDERA_BENCH_FLOWER_JOB=job.json python main.py result.json

Flower at its best for this work: as many SuperNodes as clients in a round, two workers of one processor each, a model
that stays in its worker, no strategy between the messages and the mean, and no log.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from pathlib import Path

import torch
from client import app as client_app
from flwr.app import ArrayRecord, ConfigRecord, Context, Message, MessageType, RecordDict
from flwr.serverapp import Grid, ServerApp
from flwr.simulation import run_simulation
from learner import job, learner
from safetensors.torch import load_file, save_file

server_app = ServerApp()
told: dict[str, list[float]] = {"round_s": [], "losses": []}
"""When each round had its state, on this process' monotonic clock, and the mean loss of its clients."""
final: dict[str, torch.Tensor] = {}


@server_app.main()
def serve(grid: Grid, context: Context) -> None:
    """All rounds: the state to each client of the cohort, the weighted mean of what they send back."""
    asked = job()
    state = load_file(asked["initial"])
    while len(nodes := sorted(grid.get_node_ids())) < asked["supernodes"]:
        time.sleep(0.01)
    for number, cohort in enumerate(asked["cohorts"], start=1):
        arrays = ArrayRecord(state)
        messages = [
            Message(
                content=RecordDict({"arrays": arrays, "config": ConfigRecord({"round": number, "client": client})}),
                dst_node_id=node,
                message_type=MessageType.TRAIN,
            )
            for node, client in zip(nodes, cohort, strict=True)
        ]
        replies = list(grid.send_and_receive(messages))
        if len(replies) != len(cohort) or any(reply.has_error() for reply in replies):
            raise RuntimeError(f"round {number}: {len(replies)} of {len(cohort)} replies, or an error among them")
        state = mean_of(replies)
        told["round_s"].append(time.perf_counter())
        told["losses"].append(sum(float(reply.content["told"]["loss"]) for reply in replies) / len(replies))
    final.update(state)


def mean_of(replies: list[Message]) -> dict[str, torch.Tensor]:
    """The mean of the replies' tensors, weighted by samples."""
    weights = [float(reply.content["told"]["samples"]) for reply in replies]
    states = [reply.content["arrays"].to_torch_state_dict() for reply in replies]
    parts = [(weight / sum(weights), state) for weight, state in zip(weights, states, strict=True)]
    return {name: sum(share * state[name] for share, state in parts) for name in states[0]}


def main() -> None:
    for name in ("flwr", "ray"):
        logging.getLogger(name).setLevel(logging.ERROR)
    asked = job()
    run_simulation(
        server_app=server_app,
        client_app=client_app,
        num_supernodes=asked["supernodes"],
        backend_config={
            "init_args": {
                "address": "local",  # never a cluster that is there already
                "_temp_dir": asked["temporary"],
                "num_cpus": asked["workers"],
                "include_dashboard": False,
                "log_to_driver": False,
                "logging_level": "error",
                "object_store_memory": 200_000_000,
            },
            "client_resources": {"num_cpus": 1, "num_gpus": 0.0},
        },
    )
    own = learner()
    own.load(final)
    test_loss = own.evaluate()
    save_file(final, sys.argv[1] + ".safetensors")
    Path(sys.argv[1]).write_text(json.dumps({**told, "test_loss": test_loss}), encoding="utf-8")


if __name__ == "__main__":
    main()
