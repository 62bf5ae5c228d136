"""A local epoch on short texts: ours over a bare PyTorch loop, and over transformers' Trainer."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from perf.base import Benchmark, Figure, Pace, Result, ratios
from perf.epoch_loops import MINILM, TINY, Bare, Epoch, Ours, Theirs, made

SAME_LOSS = 1e-3
"""Relative: the losses of equal steps in other kernels, after an epoch of them."""
PADDINGS = ("fixed", "grouped")


def run(pace: Pace) -> Result:
    """Five epochs in turns, each from the same state; ours and the bare loop draw the same dropout."""
    deterministic = torch.are_deterministic_algorithms_enabled()
    try:
        return _measured(pace)
    finally:
        torch.use_deterministic_algorithms(deterministic)


def _measured(pace: Pace) -> Result:
    files = made(pace.folder, TINY if pace.quick else MINILM)
    losses: dict[str, float] = {}

    def timed(name: str, epoch: Callable[[], Epoch]) -> Callable[[], float]:
        def seconds() -> float:
            done = epoch()
            losses[name] = done.loss
            return done.seconds

        return seconds

    epochs: dict[str, Callable[[], Epoch]] = {"Trainer, fixed": Theirs(files).epoch}
    for padding in PADDINGS:
        epochs |= {f"ours, {padding}": Ours(files, padding).epoch, f"bare loop, {padding}": Bare(files, padding).epoch}
    seconds = pace.side_by_side({name: timed(name, epoch) for name, epoch in epochs.items()})
    see_equal_work(losses)
    return Result(letter="e", figures=_figures(seconds), remark=_remark(losses))


def see_equal_work(losses: dict[str, float]) -> None:
    """See that ours and the bare loop learned the same.

    Raises:
        RuntimeError: their losses differ.
    """
    for padding in PADDINGS:
        ours, bare = losses[f"ours, {padding}"], losses[f"bare loop, {padding}"]
        if not math.isclose(ours, bare, rel_tol=SAME_LOSS):
            raise RuntimeError(f"{padding}: our loss is {ours}, that of the bare loop {bare}; the work is not equal")


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


def _remark(losses: dict[str, float]) -> str:
    told = ", ".join(f"{name} {loss:.4f}" for name, loss in sorted(losses.items()))
    return f"{torch.get_num_threads()} threads. Mean losses of the steps, which tell that the work is equal: {told}."


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
