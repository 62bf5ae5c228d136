"""Several clients of a round trained as one batch: the frozen weights are read once for all of them.

Each client has factors and a head of its own, and draws its own chance, so that it learns what it would learn alone but
for rounding.
"""

from harness.learning.fused.task import LocalTask
from harness.learning.fused.trainer import FusedTrainer
from harness.profiles.fusing import refusal_of as refusal

__all__ = ["FusedTrainer", "LocalTask", "refusal"]
