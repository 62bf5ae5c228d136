"""Sweeps: learning rates tried on the validation split, the best tested over seeds; a queue that goes on."""

from harness.sweep.command import sweep
from harness.sweep.options import SweepOptions

__all__ = ["SweepOptions", "sweep"]
