"""Settings of this process that make torch give the same bits each time."""

from __future__ import annotations

import os

import torch


def be_deterministic(threads: int) -> None:
    """Pin the processor threads and allow deterministic algorithms alone, for this whole process."""
    # cuBLAS reads it when it is first used; without it, its sums depend on scheduling.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    # Filling new memory is for finding reads of it, and costs time.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def on_gpu() -> bool:
    """Whether models of this machine compute on a GPU, which one process at a time makes the most of."""
    return torch.cuda.is_available()
