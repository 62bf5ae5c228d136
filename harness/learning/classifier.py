"""A classifier with its method attached, on the device it computes on: shared by training and evaluation."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from harness.learning.methods import attach, needs_init
from harness.learning.models import build_classifier, pad_id_of
from harness.learning.spec import PrepareSpec
from harness.learning.tensors import read_state


class Classifier:
    """The model, on a GPU where there is one. Weights are float32; bf16 computes under autocast, masters stay.

    A bf16 half-ulp at the size of FeDeRA's B0 (2.4e-4) would swallow AdamW's steps at lr 1e-4.
    """

    def __init__(self, base: Path, spec: PrepareSpec, init: Path | None) -> None:
        factors = read_state(init) if init is not None and needs_init(spec.method) else None
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model = build_classifier(base, spec.labels, head_seed=None)
        self.attached = attach(self.model, spec, factors)
        # Moves the tensors of the parameters: those that are attached stay the same objects.
        self.model.to(self.device)  # type: ignore[arg-type]  # its signature is lost in a decorator
        self.pad_id = pad_id_of(self.model.config)
        self._bf16 = spec.train.precision == "bf16"

    @property
    def cuda_devices(self) -> list[int]:
        """Numbers of the GPUs whose random state training changes."""
        return [torch.cuda.current_device()] if self.device.type == "cuda" else []

    def logits(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Class scores [b, labels], float32, of a batch [b, longest]."""
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self._bf16):
            output = self.model(input_ids=input_ids.to(self.device), attention_mask=attention_mask.to(self.device))
        logits: Tensor = output.logits
        return logits.to(torch.float32)

    def synchronise(self) -> None:
        """Wait for queued GPU work, so that it counts in the phase that asked for it."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
