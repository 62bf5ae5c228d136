"""A model with its task head and its method attached, on the device it computes on: for training and evaluation."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from harness.learning.data.encode import Encoded
from harness.learning.forms import ships_first
from harness.learning.methods import attach
from harness.learning.models import build_model, pad_id_of, takes_token_types
from harness.learning.reach import scores_of
from harness.learning.shards import Batch, read_rows
from harness.learning.spec import PrepareSpec
from harness.learning.tensors import read_state


class Network:
    """The model, on a GPU where there is one. Weights are float32; bf16 computes under autocast, masters stay.

    A bf16 half-ulp at the size of FeDeRA's B0 (2.4e-4) would swallow AdamW's steps at lr 1e-4.
    """

    def __init__(self, base: Path, spec: PrepareSpec, init: Path | None) -> None:
        factors = read_state(init) if init is not None and ships_first(spec.method, spec.settings) else None
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model = build_model(base, spec.task, spec.labels, head_seed=None)
        self.attached = attach(self.model, spec, factors)
        # Moves the tensors of the parameters: those that are attached stay the same objects.
        self.model.to(self.device)  # type: ignore[arg-type]  # its signature is lost in a decorator
        self.pad_id = pad_id_of(self.model.config)
        self._spec = spec
        self._types = takes_token_types(self.model)

    @property
    def cuda_devices(self) -> list[int]:
        """Numbers of the GPUs whose random state training changes."""
        return [torch.cuda.current_device()] if self.device.type == "cuda" else []

    def seed(self, seed: int) -> None:
        """Seed what the model draws from on its device, as ``torch.manual_seed`` does.

        That takes a millisecond: it notes who called it, for devices that it has not looked for yet.
        """
        torch.default_generator.manual_seed(seed)
        if self.device.type == "cuda":
            torch.cuda.manual_seed(seed)

    def read(self, path: Path) -> Encoded:
        """A shard that this model can read.

        Raises:
            BlobError: the file is not a shard.
            TrainerError: the shard is empty or does not fit the model.
        """
        vocabulary = self.model.config.vocab_size
        return read_rows(path, self._spec.task, labels=self._spec.labels, vocabulary=vocabulary)

    def outputs(self, batch: Batch) -> Tensor:
        """Scores, float32: classes [b, labels], tags [b, longest, labels], or an answer's two ends [b, longest, 2]."""
        inputs = {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask}
        if batch.token_types is not None and self._types:
            inputs["token_type_ids"] = batch.token_types
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self._spec.train.precision == "bf16"):
            output = self.model(**{name: tensor.to(self.device) for name, tensor in inputs.items()})
        return scores_of(output, self._spec.task).to(torch.float32)

    def synchronise(self) -> None:
        """Wait for queued GPU work, so that it counts in the phase that asked for it."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
