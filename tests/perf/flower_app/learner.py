"""What a client of the Flower app learns with: the same model, rows, steps and optimiser as federa-bench's trainer.

Runs in Flower's environment, which has torch, transformers, PEFT and safetensors, and nothing of federa-bench.
"""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from peft import LoraConfig, inject_adapter_in_model
from safetensors.numpy import load_file
from transformers import AutoModelForSequenceClassification
from transformers.utils import logging

JOB = "FEDERA_BENCH_FLOWER_JOB"
"""The environment variable that names the job's file."""


@cache
def job() -> dict[str, Any]:
    """What is to be done; read once in each process."""
    found: dict[str, Any] = json.loads(Path(os.environ[JOB]).read_text(encoding="utf-8"))
    return found


class Learner:
    """A model that stays in its process. Trained are LoRA's factors and the head, by AdamW without weight decay."""

    def __init__(self) -> None:
        torch.set_num_threads(1)
        logging.set_verbosity_error()
        logging.disable_progress_bar()
        asked = job()
        self.model = AutoModelForSequenceClassification.from_pretrained(
            asked["base"], num_labels=asked["labels"], dtype=torch.float32, attn_implementation="sdpa"
        )
        config = LoraConfig(
            r=asked["rank"], lora_alpha=asked["alpha"], target_modules=asked["layers"], lora_dropout=0.0, bias="none"
        )
        inject_adapter_in_model(config, self.model)
        parameters = dict(self.model.named_parameters())
        self.trained = {name: parameters[_in_model(name)] for name in asked["names"]}
        for parameter in parameters.values():
            parameter.requires_grad_(False)
        for parameter in self.trained.values():
            parameter.requires_grad_(True)
        self._shards: dict[str, dict[str, np.ndarray]] = {}

    @torch.no_grad()
    def load(self, state: dict[str, torch.Tensor]) -> None:
        """Begin with this state."""
        for name, parameter in self.trained.items():
            parameter.copy_(state[name])

    def state(self) -> dict[str, torch.Tensor]:
        """What was trained, by name."""
        return {name: parameter.detach().clone() for name, parameter in self.trained.items()}

    def train(self, round: int, client: int) -> float:
        """The steps of a client in a round; their mean loss."""
        self.model.train()
        optimiser = torch.optim.AdamW(self.trained.values(), lr=job()["lr"], weight_decay=0.0, fused=True)
        losses = []
        for rows in job()["steps"][f"{round}/{client}"]:
            optimiser.zero_grad(set_to_none=True)
            loss = self._loss(str(client), rows)
            loss.backward()
            optimiser.step()
            losses.append(loss.detach())
        return float(torch.stack(losses).mean())

    @torch.no_grad()
    def evaluate(self) -> float:
        """The mean loss over all test samples."""
        self.model.eval()
        count, size = len(self._shard("test")["offsets"]) - 1, job()["evaluate_batch"]
        batches = [list(range(start, min(start + size, count))) for start in range(0, count, size)]
        return sum(float(self._loss("test", rows)) * len(rows) for rows in batches) / count

    def _loss(self, client: str, rows: list[int]) -> torch.Tensor:
        ids, mask, labels = self._batch(self._shard(client), rows)
        logits = self.model(input_ids=ids, attention_mask=mask).logits
        return torch.nn.functional.cross_entropy(logits, labels)

    def _shard(self, client: str) -> dict[str, np.ndarray]:
        if client not in self._shards:
            self._shards[client] = load_file(job()["shards"][client])
        return self._shards[client]

    def _batch(self, shard: dict[str, np.ndarray], rows: list[int]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Rows padded to the longest of them: ids and mask [b, longest], labels [b], int64."""
        offsets = shard["offsets"]
        places = [slice(int(offsets[row]), int(offsets[row + 1])) for row in rows]
        longest = max(place.stop - place.start for place in places)
        ids = np.full((len(rows), longest), job()["pad_id"], dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, place in enumerate(places):
            ids[row, : place.stop - place.start] = shard["input_ids"][place]
            mask[row, : place.stop - place.start] = 1
        labels = shard["labels"][np.asarray(rows)].astype(np.int64)
        return torch.from_numpy(ids), torch.from_numpy(mask), torch.from_numpy(labels)


@cache
def learner() -> Learner:
    """The one of this process: built once, as federa-bench builds its own."""
    return Learner()


def _in_model(name: str) -> str:
    """PEFT's name of a tensor: that of a state with its adapter's."""
    for part in (".lora_A.", ".lora_B."):
        name = name.replace(part, f"{part}default.")
    return name
