"""The strategy of each method."""

from __future__ import annotations

from harness.learning.aggregation.base import Ground, Strategy
from harness.learning.aggregation.clipped import clipped
from harness.learning.aggregation.exact import fedex_rule, flora_rule
from harness.learning.aggregation.fair import fair_rule
from harness.learning.aggregation.fedsvd import fedsvd_rule
from harness.learning.aggregation.fra import fra_ffa_rule, fra_rule
from harness.learning.aggregation.means import mean_rule
from harness.learning.aggregation.optimisers import optimised
from harness.learning.aggregation.own import FedSA
from harness.learning.aggregation.plain import Plain
from harness.learning.aggregation.ranked import flexlora_rule, hetlora_rule
from harness.learning.aggregation.scaffold import scaffold
from harness.learning.aggregation.slora import SLoRA
from harness.learning.aggregation.strategy import LowRank

_RULES = {
    "ffa": mean_rule,
    "fra": fra_rule,
    "fra-ffa": fra_ffa_rule,
    "flexlora": flexlora_rule,
    "flora": flora_rule,
    "fedex": fedex_rule,
    "rolora": mean_rule,
    "fedsvd": fedsvd_rule,
    "hetlora": hetlora_rule,
    "lora-fair": fair_rule,
}


def strategy_of(ground: Ground) -> Strategy:
    """How the method of ``ground.spec`` aggregates under its settings.

    A state without adapted layers (full fine-tuning, the null trainer's) is averaged as it is.
    """
    method, settings = ground.spec.method, ground.spec.settings
    if settings.privacy.kind == "server":
        return clipped(ground)
    if settings.scaffold:
        return scaffold(ground)
    if settings.server.optimiser != "none":
        return optimised(ground)
    if not ground.layers:
        return Plain(ground)
    if method == "fedsa":
        return FedSA(ground)
    if method == "slora":
        return SLoRA(ground)
    if method in _RULES:
        return LowRank(ground, _RULES[method](settings), norms=method == "hetlora")
    return Plain(ground)
