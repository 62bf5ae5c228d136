"""A local epoch on short texts: ours over a bare PyTorch loop, and over transformers' Trainer."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import torch
from perf.base import Benchmark, Figure, Pace, Result, ratios
from perf.epoch_loops import MINILM, TINY, Bare, Epoch, Ours, Theirs, made

SAME_LOSS = 1e-3
"""Relative: the losses of equal steps in other kernels, after an epoch of them."""
NEAR_LOSS = 0.02
"""Of Trainer, which draws another order of rows and other dropout."""
PADDINGS = ("fixed", "grouped")
ALIKE = (
    ("ours, fixed", "bare loop, fixed", SAME_LOSS),
    ("ours, grouped", "bare loop, grouped", SAME_LOSS),
    ("ours, fixed", "Trainer, fixed", NEAR_LOSS),
)
"""Whose losses are compared, and how far they may be apart."""


def run(pace: Pace) -> Result:
    """Five epochs in turns, each from the same state; ours and the bare loop draw the same dropout."""
    deterministic = torch.are_deterministic_algorithms_enabled()
    try:
        return _measured(pace)
    finally:
        torch.use_deterministic_algorithms(deterministic)


def _measured(pace: Pace) -> Result:
    files = made(pace.folder, TINY if pace.quick else MINILM)
    losses: dict[str, list[float]] = {}

    def timed(name: str, epoch: Callable[[], Epoch]) -> Callable[[], float]:
        def seconds() -> float:
            done = epoch()
            losses.setdefault(name, []).append(done.loss)
            return done.seconds

        return seconds

    epochs: dict[str, Callable[[], Epoch]] = {"Trainer, fixed": Theirs(files).epoch}
    for padding in PADDINGS:
        epochs |= {f"ours, {padding}": Ours(files, padding).epoch, f"bare loop, {padding}": Bare(files, padding).epoch}
    seconds = pace.side_by_side({name: timed(name, epoch) for name, epoch in epochs.items()})
    see_equal_work(losses)
    return Result(letter="e", figures=_figures(seconds), remark=_remark(losses))


def see_equal_work(losses: Mapping[str, Sequence[float]]) -> None:
    """See that those that are compared learned the same in every turn.

    Raises:
        RuntimeError: losses of a turn differ.
    """
    for name, other, apart in ALIKE:
        for one, its in zip(losses[name], losses[other], strict=True):
            if not math.isclose(one, its, rel_tol=apart):
                raise RuntimeError(f"the loss of {name} is {one}, that of {other} {its}; the work is not equal")


def _figures(seconds: dict[str, list[float]]) -> tuple[Figure, ...]:
    trainer = seconds["Trainer, fixed"]
    over_bare = {padding: ratios(seconds[f"ours, {padding}"], seconds[f"bare loop, {padding}"]) for padding in PADDINGS}
    return (
        *(
            Figure(name=f"ours over the bare loop, {padding}", unit="", values=values, at_most=1.03)
            for padding, values in over_bare.items()
        ),
        Figure(
            name="ours, grouped, over Trainer, fixed",
            unit="",
            values=ratios(seconds["ours, grouped"], trainer),
            at_most=0.6,
        ),
        Figure(name="ours, fixed, over Trainer, fixed", unit="", values=ratios(seconds["ours, fixed"], trainer)),
        *(Figure(name=name, unit="s", values=tuple(values)) for name, values in seconds.items()),
    )


def _remark(losses: Mapping[str, Sequence[float]]) -> str:
    told = ", ".join(f"{name} {each[-1]:.4f}" for name, each in sorted(losses.items()))
    pairs = "; ".join(f"({name}) and ({other}), at most {apart:.1%} apart" for name, other, apart in ALIKE)
    return (
        f"{torch.get_num_threads()} threads. Mean losses of the steps: {told}. That the work is equal is seen in every "
        f"turn, by the losses of {pairs}. Trainer draws another order of rows and other dropout."
    )


BENCHMARK = Benchmark(
    letter="e",
    title="A local epoch",
    what=(
        "FedLR of rank 32 on an encoder of MiniLM-L6's shape with random weights and a head for 13 tags: one epoch of "
        "113 sentences whose lengths are drawn like WNUT2017's (mean 27 tokens, at most 64), in steps of 16. The bare "
        "loop has the same model, batches that are there as tensors, AdamW, and nothing else. transformers' Trainer "
        "has the same model, samples, batch size and optimiser, each sample padded to 64 tokens, and logs, clips and "
        "saves nothing."
    ),
    run=run,
)
