"""A local epoch of one client, three ways: by our trainer, by a bare loop, by transformers' Trainer."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional
from transformers import AutoModel, BertConfig, Trainer, TrainingArguments

from harness.learning.data.encode import Encoded, flat, write_shard
from harness.learning.methods import initial_state
from harness.learning.network import Network
from harness.learning.seeding import derived_seed
from harness.learning.shards import Batch, collate
from harness.learning.spec import PrepareSpec
from harness.learning.steps import steps_of
from harness.learning.tensors import opened_state, write_state
from harness.learning.torch_trainer import TorchTrainer
from harness.profiles import MethodProfile, TrainProfile

SEED, ROUND = 7, 1
TAGS = 13
"""Six entity types in IOB2."""
MEAN_TOKENS, SHAPE, LEAST_TOKENS = 27.0, 3.0, 5


class Size(NamedTuple):
    """How large the encoder is, and how much a client has."""

    width: int
    layers: int
    heads: int
    vocabulary: int
    rows: int
    batch_size: int
    max_length: int


MINILM = Size(width=384, layers=6, heads=12, vocabulary=30_522, rows=113, batch_size=16, max_length=64)
"""MiniLM-L6 and one of 30 clients of WNUT2017, whose 3,394 sentences are cut at 64 tokens."""
TINY = Size(width=64, layers=2, heads=4, vocabulary=500, rows=20, batch_size=8, max_length=32)


class Made(NamedTuple):
    """A made model folder, the state a run begins with, and a client's shard."""

    base: Path
    state: Path
    shard: Path
    size: Size


class Epoch(NamedTuple):
    """What an epoch took, and the mean loss of its steps."""

    seconds: float
    loss: float


def made(folder: Path, size: Size) -> Made:
    """Random weights, and a client's random texts."""
    config = BertConfig(
        vocab_size=size.vocabulary,
        hidden_size=size.width,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        intermediate_size=4 * size.width,
    )
    with torch.random.fork_rng():
        torch.manual_seed(SEED)
        model = AutoModel.from_config(config)
    config.save_pretrained(folder)
    save_file(model.state_dict(), folder / "model.safetensors")
    made_shard(folder / "shard", size, SEED)
    state = initial_state(folder, spec_of(size, "fixed"), seed=0).state
    write_state(folder / "state", state)
    return Made(folder, folder / "state", folder / "shard", size)


def made_shard(path: Path, size: Size, seed: int) -> Path:
    """Random texts with a tag on every second token; lengths as WNUT2017's, a gamma's, drawn from this seed."""
    chance = np.random.default_rng(seed)
    drawn = chance.gamma(SHAPE, MEAN_TOKENS / SHAPE, size.rows)
    lengths = np.clip(drawn.round().astype(int), LEAST_TOKENS, size.max_length)
    input_ids, offsets = flat([chance.integers(5, size.vocabulary, length) for length in lengths])
    tags = np.where(np.arange(len(input_ids)) % 2 == 0, chance.integers(0, TAGS, len(input_ids)), -100)
    write_shard(Encoded(input_ids, offsets, tags=tags.astype(np.int32)), path)
    return path


def spec_of(size: Size, padding: str) -> PrepareSpec:
    """FedLR of rank 32 with this padding, on as many threads as the process has now."""
    return PrepareSpec(
        method="fedlr",
        task="token-classification",
        settings=MethodProfile(rank=32, alpha=32.0, lr=1e-3),
        train=TrainProfile(batch_size=size.batch_size, max_length=size.max_length, padding=padding),  # type: ignore[arg-type]
        labels=TAGS,
        threads=torch.get_num_threads(),
    )


class Ours:
    """Our trainer; its model stays, as between the tasks of a run."""

    def __init__(self, files: Made, padding: str) -> None:
        self._files = files
        self._trainer = TorchTrainer(spec_of(files.size, padding), files.base, None)

    def epoch(self) -> Epoch:
        """Load, then ``train``: the latter alone is timed."""
        torch.use_deterministic_algorithms(True)
        self._trainer.load(self._files.state, self._files.shard, ROUND)
        begun_s = time.perf_counter()
        trained = self._trainer.train(SEED, ROUND)
        assert trained.loss is not None
        return Epoch(time.perf_counter() - begun_s, trained.loss)


class Bare:
    """Forward, loss, backward, AdamW on the same batches as ours, which are there as tensors; nothing else."""

    def __init__(self, files: Made, padding: str) -> None:
        spec = spec_of(files.size, padding)
        self._files, self._lr, self._network = files, spec.settings.lr, Network(files.base, spec, None)
        shard = self._network.read(files.shard)
        length = files.size.max_length if padding == "fixed" else None
        steps = steps_of(shard, spec.train, SEED)
        self._batches = [collate(shard, rows, self._network.pad_id, length) for rows in steps]
        # Grouped by length, tags are weighed by their number in the mean over the shard.
        mean = float((shard.tags != -100).sum()) / len(shard) if shard.tags is not None else 1.0
        own = [float((batch.targets != -100).sum()) for batch in self._batches]
        self._weights = [len(rows) * mean for rows in steps] if padding == "grouped" else own

    def epoch(self) -> Epoch:
        """From the making of the optimiser to the last loss; without torch's slower, deterministic kernels."""
        _loaded(self._network, self._files.state)
        torch.use_deterministic_algorithms(False)
        torch.manual_seed(derived_seed(f"dropout/{SEED}"))
        self._network.model.train()
        begun_s = time.perf_counter()
        loss = self._looped()
        return Epoch(time.perf_counter() - begun_s, loss)

    def _looped(self) -> float:
        model, losses = self._network.model, []
        trained = [tensor for tensor in model.parameters() if tensor.requires_grad]
        optimiser = torch.optim.AdamW(trained, lr=self._lr, weight_decay=0.0, fused=True)
        for batch, weight in zip(self._batches, self._weights, strict=True):
            optimiser.zero_grad(set_to_none=True)
            logits = model(input_ids=batch.input_ids, attention_mask=batch.attention_mask).logits
            loss = functional.cross_entropy(logits.flatten(0, 1), batch.targets.flatten(), reduction="sum") / weight
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            losses.append(loss.detach())
        return float(torch.stack(losses).mean())


class Theirs:
    """transformers' Trainer on the same samples, padded to the greatest length beforehand, as its examples do.

    It logs, saves and evaluates nothing, clips no gradient, and has the same optimiser.
    """

    def __init__(self, files: Made) -> None:
        spec = spec_of(files.size, "fixed")
        self._files, self._network = files, Network(files.base, spec, None)
        shard = self._network.read(files.shard)
        self._rows = _dicts(collate(shard, range(len(shard)), self._network.pad_id, files.size.max_length))
        self._arguments = TrainingArguments(
            output_dir=str(files.base / "trainer"),
            per_device_train_batch_size=files.size.batch_size,
            num_train_epochs=1,
            learning_rate=spec.settings.lr,
            lr_scheduler_type="constant",
            optim="adamw_torch_fused",
            max_grad_norm=0.0,
            logging_strategy="no",
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            use_cpu=self._network.device.type == "cpu",
            seed=SEED,
        )

    def epoch(self) -> Epoch:
        """``train`` of a new Trainer, whose making is not timed."""
        _loaded(self._network, self._files.state)
        torch.use_deterministic_algorithms(False)
        trainer = Trainer(self._network.model, self._arguments, train_dataset=self._rows)  # type: ignore[arg-type]
        with redirect_stdout(StringIO()):  # it prints its summary
            begun_s = time.perf_counter()
            done: Any = trainer.train()
            return Epoch(time.perf_counter() - begun_s, done.training_loss)


def _loaded(network: Network, state: Path) -> None:
    with opened_state(state) as tensors:
        network.attached.load(tensors, ROUND)


def _dicts(batch: Batch) -> Sequence[dict[str, Tensor]]:
    parts = zip(batch.input_ids, batch.attention_mask, batch.targets, strict=True)
    return [{"input_ids": ids, "attention_mask": mask, "labels": tags} for ids, mask, tags in parts]
