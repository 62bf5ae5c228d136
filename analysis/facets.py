"""What tells runs of one method apart, in words as short as they may be: "alpha 0.1", "lr 1e-3"; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.load import Run
from analysis.methods import own_words, settings_of
from harness.profiles import PartitionProfile

SEED = "seed"
"""The key of the seed's facet, and how those of single seeds in a profile start."""
LONGEST_WORD = 40
"""Of a name: what has more letters tells nobody anything."""

Described = tuple[str, Mapping[str, str]]
"""A run's method, and its facets: a word for each, under the same keys in every run that has them."""


def facets_of(run: Run) -> dict[str, str]:
    """The facets of a run, the most telling first.

    What a comparison varies has words of its own ("" where a setting of a method is its default), everything else its
    key in the profile. Settings of other methods are no facet of this run, and its description is none at all.
    """
    profile, own, settings = run.experiment, settings_of(run), run.settings
    found = {
        "data set": profile.dataset.name,
        "model": profile.model.name,
        "partition": _partition_word(profile.partition),
        **own_words(run.header.method, own),
        "lr": f"lr {power_of_ten(own.lr)}",
        "rank": f"rank {own.rank}",
        "scaling": f"LoRA alpha {own.alpha:g}",
        "reduction": f"reduction {own.reduction}",
        "split": f"{profile.evaluate.split} split",
        "link": f"link {profile.link.name}",
        "device": f"device {profile.device.name}",
        SEED: f"seed {run.header.seed}",
        "profile": profile.name,
    }
    others = {key: f"{key} {_word(settings[key])}" for key in sorted(settings) if not key.startswith("methods.")}
    return found | {key: word for key, word in others.items() if len(word) <= LONGEST_WORD}


def telling(described: Sequence[Described], seeds: bool = True) -> tuple[str, ...]:
    """The facets that tell runs of one method apart, as few as reading from the most telling on gives.

    A facet that only repeats what an earlier one told (another data set has another target) is left out; without
    ``seeds`` all that are seeds are.
    """
    keys = dict.fromkeys(key for _, facets in described for key in facets if seeds or not key.startswith(SEED))
    names: list[tuple[str, ...]] = [(method,) for method, _ in described]
    chosen = []
    for key in keys:
        finer = [(*name, facets.get(key, "")) for name, (_, facets) in zip(names, described, strict=True)]
        if len(set(finer)) > len(set(names)):
            chosen.append(key)
            names = finer
    return tuple(chosen)


def power_of_ten(value: float) -> str:
    """A small number as learning rates are written: 1e-3, 5e-5; others as they are."""
    if not 0 < value < 0.1:
        return f"{value:g}"
    mantissa, exponent = f"{value:e}".split("e")
    return f"{float(mantissa):g}e{int(exponent)}"


def _partition_word(dealt: PartitionProfile) -> str:
    alpha = f"alpha {dealt.alpha:g}"
    if dealt.kind == "fednlp-dirichlet":  # the usual one needs no name
        return alpha
    return f"{dealt.kind} {alpha}" if dealt.kind == "dirichlet" else dealt.kind


def _word(value: Any) -> str:
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
