"""What is exported: a checkpoint, how it is read, and what it was trained on. Free of torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.learning.forms import CHANGE, form_of, kind_of
from harness.learning.slices import SlicedState
from harness.profiles import Method, MethodProfile, ModulesProfile, TaskName
from harness.profiles.choices import FULL

Kind = Literal["peft", "merged"]


@dataclass(frozen=True)
class Source:
    """The checkpoint after ``round``, and the initial one, where A0 and B0 stand.

    ``base`` holds config.json and model.safetensors of the pretrained encoder, ``tokenizer`` its tokenizer's files;
    ``base_name`` is what others call it: its id on the hub, or a folder. ``labels`` is the number of the head's
    outputs, ``label_names`` what they mean (empty of a question's). ``seed`` is the one that SLoRA's mask is drawn
    from.
    """

    checkpoint: Path
    initial: Path
    round: int
    method: Method
    settings: MethodProfile
    seed: int
    base: Path
    tokenizer: Path
    base_name: str
    task: TaskName
    modules: ModulesProfile
    labels: int
    label_names: tuple[str, ...]

    @property
    def scale(self) -> float:
        """s = alpha / r."""
        return self.settings.alpha / self.settings.rank

    @property
    def residual_base(self) -> bool:
        """Whether the frozen weights are W - s B0 A0: a checkpoint is read with the form of the round after it."""
        return form_of(self.method, self.settings, self.round + 1).residual_base


def refusal(method: Method, checkpoint: Path, kind: Kind) -> str | None:
    """Why this checkpoint of a method cannot become that, in words; None where it can.

    Raises:
        BlobError: the checkpoint is not a state file.
    """
    if method == "fedap":
        return (
            "fedap's bottlenecks are layers that neither PEFT nor a plain model of transformers has; "
            "export a run of another method"
        )
    if kind == "merged":
        return None
    if method in FULL:
        return f"{method} trains weights of the encoder itself, which are no adapter; use --merged DIR"
    with SlicedState(checkpoint) as state:
        names = list(state.shapes)
    if any(name.startswith(CHANGE) for name in names):
        return (
            f"{method} has added more than rank r to the frozen weights of this run, which an adapter on the "
            "pretrained ones cannot hold; use --merged DIR"
        )
    if any(kind_of(name) == "sparse" for name in names):
        return f"{method}'s first stage trains single weights of the encoder, and no factors yet; use --merged DIR"
    return None
