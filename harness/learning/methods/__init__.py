"""The methods: what is trained, and how it starts (FeDeRA 5.1). The head is trained in every one, and counted apart."""

from harness.learning.methods.base import Attached, InitialState
from harness.learning.methods.initial import initial_state
from harness.learning.methods.registry import attach

__all__ = ["Attached", "InitialState", "attach", "initial_state"]
