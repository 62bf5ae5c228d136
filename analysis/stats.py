"""Medians over rounds and clients, names of runs, and what differs between profiles. Raw values in, raw values out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from analysis.facets import SEED, facets_of, telling
from analysis.flat import flatten
from analysis.load import Run
from analysis.methods import SCAFFOLD, own_words, settings_of
from harness.profiles import METHODS
from harness.records import ClientRecord, RoundRecord, undisturbed

METHOD_NAMES = {
    "fedft": "FedFT",
    "fedbf": "FedBF",
    "fedap": "FedAP",
    "fedlr": "FedLR",
    "federa": "FeDeRA",
    "ffa": "FFA-LoRA",
    "fra": "FRA-LoRA",
    "fra-ffa": "FRA then FFA",
    "flexlora": "FlexLoRA",
    "flora": "FLoRA",
    "fedex": "FedEx-LoRA",
    "rolora": "RoLoRA",
    "fedsa": "FedSA-LoRA (personal)",
    "fedsvd": "FedSVD",
    "slora": "SLoRA",
    "hetlora": "HetLoRA",
    "lora-fair": "LoRA-FAIR",
    "central": "Centralised (reference)",
}

# Training shorter than this says nothing about processor share: the processor clock ticks too coarsely.
SHORTEST_TRAIN_S = 0.05


@dataclass(frozen=True)
class RoundMedians:
    """Medians over a run's rounds, each phase on its own: they need not sum to ``round_s``."""

    round_s: float
    train_s: float
    communication_s: float
    load_s: float
    aggregate_s: float
    wait_s: float
    other_s: float
    wall_s: float


def round_medians(rounds: Sequence[RoundRecord]) -> RoundMedians | None:
    """Medians of each phase; communication is download + upload of a round. None without rounds."""
    if not rounds:
        return None
    return RoundMedians(
        round_s=median(r.round_s for r in rounds),
        train_s=median(r.train_s for r in rounds),
        communication_s=median(r.download_s + r.upload_s for r in rounds),
        load_s=median(r.load_s for r in rounds),
        aggregate_s=median(r.aggregate_s for r in rounds),
        wait_s=median(r.wait_s for r in rounds),
        other_s=median(r.other_s for r in rounds),
        wall_s=median(r.wall_s for r in rounds),
    )


def median_or_none(values: Iterable[float]) -> float | None:
    """The median; None of nothing."""
    listed = list(values)
    return median(listed) if listed else None


def processor_share(clients: Sequence[ClientRecord], threads: int) -> float | None:
    """Median of train_cpu_s / (train_s * threads): 1 when each thread of a trainer had a core to itself.

    Warm-up updates are left out where there are others.
    """
    measured = [c for c in clients if c.train_s >= SHORTEST_TRAIN_S]
    settled = [c for c in measured if not c.warm_up] or measured
    return median_or_none(c.train_cpu_s / (c.train_s * threads) for c in settled)


@dataclass(frozen=True)
class LinkUse:
    """Medians over undisturbed clients of a direction: achieved rate, the link's own, achieved / what the link allows.

    A transfer pays a round trip before its first byte, so a link of rate r allows a payload of n bits n / (n / r +
    2 latency): small payloads stay below r on a perfect link.
    """

    achieved_bps: float | None
    link_bps: float | None
    ratio: float | None


def download_use(run: Run) -> LinkUse:
    """How the downlinks were used; ``link_bps`` and ``ratio`` are None where no link was shaped."""
    return _link_use(run, [(c.download_bytes, c.download_bps, c.link_down_bps) for c in undisturbed(run.clients)])


def upload_use(run: Run) -> LinkUse:
    """How the uplinks were used; ``link_bps`` and ``ratio`` are None where no link was shaped."""
    return _link_use(run, [(c.upload_bytes, c.upload_bps, c.link_up_bps) for c in undisturbed(run.clients)])


def _link_use(run: Run, transfers: Sequence[tuple[int, float, float | None]]) -> LinkUse:
    round_trip_s = 2 * run.experiment.link.latency_s
    shaped = [(size_bytes * 8, achieved, link) for size_bytes, achieved, link in transfers if link]
    return LinkUse(
        achieved_bps=median_or_none(achieved for _, achieved, _ in transfers),
        link_bps=median_or_none(link for _, _, link in shaped),
        ratio=median_or_none(achieved * (1 / link + round_trip_s / bits) for bits, achieved, link in shaped if bits),
    )


def method_name(method: str) -> str:
    """A method's name as its paper writes it; one that is not known here stays as it is."""
    return METHOD_NAMES.get(method, method)


def _name(run: Run) -> str:
    """The method's name with what must not be overlooked wherever it stands."""
    name = method_name(run.header.method)
    return f"{name} {SCAFFOLD}" if settings_of(run).scaffold else name


def in_order(runs: Iterable[Run]) -> tuple[Run, ...]:
    """Runs by method in the papers' order, by setting, by seed, by run id: a report does not depend on the command."""
    known: dict[str, int] = {method: place for place, method in enumerate(METHODS)}
    return tuple(
        sorted(
            runs,
            key=lambda run: (
                known.get(run.header.method, len(known)),
                run.header.method,
                *_setting(run),
                run.header.seed,
                run.header.run_id,
            ),
        )
    )


def _setting(run: Run) -> tuple[str, str, float, int, float, str, float]:
    """What comparisons vary, as it is counted up: alpha 1 before alpha 10, rank 3 before rank 32, no noise first."""
    profile, own = run.experiment, settings_of(run)
    noise = own.privacy.noise_multiplier if own.privacy.kind != "none" else 0.0
    words = own_words(run.header.method, own) | {"privacy": ""}
    others = " ".join([*words.values(), SCAFFOLD * own.scaffold])
    return profile.dataset.name, profile.model.name, profile.partition.alpha, own.rank, own.lr, others, noise


def labels(runs: Sequence[Run], seeds: bool = True) -> tuple[str, ...]:
    """A name for each run: its method, what tells it from other runs of its method, the seed where there are several.

    With twenty runs that is "FeDeRA alpha 0.1 seed 2"; the run id stands where nothing else differs. Without ``seeds``
    the names are of groups of runs that differ by their seeds alone.
    """
    described = [(_name(run), facets_of(run)) for run in runs]
    kept = [key for key in telling(described, seeds) if key != SEED]
    if seeds and len({run.header.seed for run in runs}) > 1:
        kept.append(SEED)
    short = [
        " ".join([name, *filter(None, (facets.get(key, f"{key} none") for key in kept))]) for name, facets in described
    ]
    times = Counter(short)
    return tuple(
        f"{name} ({run.header.run_id})" if times[name] > 1 else name for name, run in zip(short, runs, strict=True)
    )


def differing_keys(trees: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Paths whose values are not the same in all of the mappings, sorted; a missing key differs from any value."""
    flats = [flatten(tree) for tree in trees]
    missing = object()
    return tuple(
        key
        for key in sorted({key for flat in flats for key in flat})
        if any(flat.get(key, missing) != flats[0].get(key, missing) for flat in flats)
    )
