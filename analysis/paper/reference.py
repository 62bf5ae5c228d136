"""What the FeDeRA paper (arXiv 2404.18848) says itself: its settings, and the figures of its Tables 5, 8 and 9.

None stands for its "-": not reached. Figures of its other tables are not at hand, so they are not here.
"""

from __future__ import annotations

from typing import NamedTuple

from harness.profiles import FEDERA_METHODS, Method

MODELS = {"roberta-base": "RoBERTa", "debertav3-base": "DeBERTaV3"}
DATASETS = {
    "20newsgroups": "20News",
    "semeval2010-task8": "SemEval",
    "wnut2017": "WNUT",
    "ploner": "PLONER",
    "squad": "SQuAD",
    "mrqa": "MRQA",
}
"""Names of profiles, and the paper's."""

FRACTIONS = (0.90, 0.95, 0.99)
RANK = 32
"""Of FedLR and FeDeRA in all tables but Table 9."""


class Setup(NamedTuple):
    """How a data set is dealt out and scored: clients, those of a round, the Dirichlet's alpha, metrics."""

    clients: int
    clients_per_round: int
    alpha: float
    metrics: tuple[str, ...]


SETUPS = {
    "20newsgroups": Setup(100, 10, 0.1, ("accuracy",)),
    "semeval2010-task8": Setup(100, 10, 1.0, ("accuracy",)),
    "wnut2017": Setup(30, 5, 0.1, ("f1",)),
    "ploner": Setup(100, 10, 0.01, ("f1",)),
    "squad": Setup(300, 15, 0.1, ("exact_match", "f1")),
    "mrqa": Setup(300, 15, 0.01, ("exact_match", "f1")),
}

TARGETS = {
    ("20newsgroups", "accuracy"): 0.80,
    ("wnut2017", "f1"): 0.50,
    ("squad", "exact_match"): 0.65,
    ("squad", "f1"): 0.80,
}
"""The targets of Tables 2 to 5, by data set and metric."""

Hours = tuple[float | None, float | None, float | None]

_TABLE_5: dict[str, tuple[tuple[Hours, Hours, Hours, Hours], ...]] = {
    "roberta-base": (
        ((5.60, 6.53, 13.19), (5.22, 7.04, 10.38), (1.39, 2.31, 5.02), (0.84, 1.96, 5.64)),
        ((0.78, None, None), (0.89, None, None), (None, None, None), (None, None, None)),
        ((0.30, 0.49, 0.99), (0.30, 0.44, 0.95), (0.21, 0.39, 0.65), (0.12, 0.34, 0.73)),
        ((0.33, 0.59, 1.21), (0.27, 0.39, 0.72), (0.45, 0.85, 1.43), (0.24, 0.84, 1.79)),
        ((0.17, 0.30, 0.54), (0.21, 0.28, 0.32), (0.16, 0.31, 0.51), (0.09, 0.28, 0.52)),
    ),
    "debertav3-base": (
        ((13.27, 16.91, 23.84), (6.48, 9.14, 12.96), (0.67, 0.96, 1.62), (0.48, 0.67, 1.34)),
        ((None, None, None), (0.63, 1.27, None), (1.13, None, None), (0.50, None, None)),
        ((1.13, 1.74, None), (0.69, 1.40, None), (0.22, 0.36, 0.67), (0.15, 0.25, 0.49)),
        ((1.03, 1.43, 1.80), (0.81, 0.85, None), (0.33, 0.55, 1.12), (0.18, 0.34, 0.77)),
        ((0.36, 0.45, 0.64), (0.16, 0.32, 0.45), (0.14, 0.24, 0.49), (0.09, 0.19, 0.31)),
    ),
}
"""Rows in the order of FEDERA_METHODS, columns in that of TARGETS."""

_TABLE_8 = {
    "roberta-base": ((4.59, 4.62, 30.91), (3.15, 3.31, 21.83), (3.29, 3.42, 22.8), (3.27, 3.33, 22.37)),
    "debertav3-base": ((6.31, 6.22, 42.44), (4.36, 4.49, 29.51), (4.62, 4.81, 31.86), (4.54, 4.62, 30.46)),
}
"""Rows: FedFT, FedBF, FedAP, and one for FedLR and FeDeRA together. Columns in the order of TIMED."""

TIMED = ("20newsgroups", "wnut2017", "squad")
"""The data sets whose seconds the paper gives: those of Tables 2, 3 and 4."""

_COMMUNICATION_S = {
    "roberta-base": (109.67, 0.96, 2.47, 1.68),
    "debertav3-base": (149.98, 0.96, 2.47, 1.68),
}
"""One way, rows as those of Table 8."""


class Communication(NamedTuple):
    """A row of Table 9: LoRA's rank, its trained parameters as they are printed, seconds of a transfer one way."""

    rank: int
    parameters: str
    seconds: float


TABLE_9 = (
    Communication(3, "0.1M", 0.96),
    Communication(32, "1.2M", 1.68),
    Communication(48, "1.8M", 2.47),
    Communication(64, "2.4M", 3.24),
    Communication(128, "4.8M", 4.55),
)


def hours(model: str, method: Method, dataset: str, metric: str) -> Hours:
    """Table 5: hours to 90, 95 and 99 % of a target."""
    return _TABLE_5[model][FEDERA_METHODS.index(method)][list(TARGETS).index((dataset, metric))]


def train_seconds(model: str, method: Method, dataset: str) -> float:
    """Table 8: seconds of one local training."""
    return _TABLE_8[model][_row(method)][TIMED.index(dataset)]


def communication_seconds(model: str, method: Method) -> float:
    """Seconds of a transfer, one way, at rank 32: one figure of each method for all data sets."""
    return _COMMUNICATION_S[model][_row(method)]


def _row(method: Method) -> int:
    return min(FEDERA_METHODS.index(method), FEDERA_METHODS.index("fedlr"))
