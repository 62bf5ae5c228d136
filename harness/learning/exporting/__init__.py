"""Checkpoints as models that other programs load: a PEFT adapter, or a whole Hugging Face model."""

from harness.learning.exporting.adapter import write_adapter
from harness.learning.exporting.merged import write_merged
from harness.learning.exporting.source import Source, refusal

__all__ = ["Source", "refusal", "write_adapter", "write_merged"]
