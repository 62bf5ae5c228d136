"""Which runs fill which cell of the paper's tables; pure.

A run belongs to the model and data set that it is timed as, so a small stand-in fills the cell of what it stands for.
What tells its setting from the paper's is for the table's note: :func:`deviations`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import NamedTuple, TypeVar, cast

from analysis import stats
from analysis.groups import Group
from analysis.load import Run
from analysis.paper.reference import DATASETS, FRACTIONS, MODELS, RANK, SETUPS, TARGETS
from analysis.seeds.seeded import Seeded, named_groups
from harness.profiles import FEDERA_METHODS, Method, TargetProfile
from harness.records import ClientRecord

LOW_RANK = ("fedlr", "federa")
USUAL_PARTITION = "fednlp-dirichlet"

K = TypeVar("K")


class Place(NamedTuple):
    """A place in the paper's tables: the names of profiles of a model and a data set, and a method."""

    model: str
    dataset: str
    method: Method


@dataclass(frozen=True)
class Cell:
    """The runs of one setting that fill a place; ``set_aside`` counts the other settings that could have."""

    place: Place
    group: Group
    set_aside: int = 0

    def seeded(self, metric: str) -> Seeded:
        """The runs with their target of a metric: their profile's, or the paper's where that has none."""
        return Seeded(self.group, aim(self.group.runs[0], metric))

    @property
    def train_s(self) -> float | None:
        """Seconds of a local training, the median over all clients of all runs."""
        return self._median(lambda client: client.train_s)

    @property
    def one_way_s(self) -> float | None:
        """Seconds of a transfer: the median of half of download and upload."""
        return self._median(lambda client: (client.download_s + client.upload_s) / 2)

    @property
    def parameters(self) -> int | None:
        """Trained parameters without the head, as the paper counts them."""
        found = self.group.runs[0].header.parameters
        return found.adapter if found else None

    def _median(self, value: Callable[[ClientRecord], float]) -> float | None:
        return stats.median_or_none(value(client) for run in self.group.runs for client in run.clients)


def cells_of(runs: Sequence[Run]) -> dict[Place, Cell]:
    """The cells that these runs fill: of Tables 1 to 5 and 8."""
    return _closest(named_groups(_fitting(runs)), place_of)


def cells_by_rank(runs: Sequence[Run]) -> dict[tuple[str, int], Cell]:
    """The cells of Table 9 by model and LoRA's rank, whatever the data set."""
    low_rank = [run for run in _fitting(runs) if run.header.method in LOW_RANK]
    return _closest(named_groups(low_rank), lambda run: (place_of(run).model, rank_of(run)))


def place_of(run: Run) -> Place:
    """The place of a run, by the names that it is timed as."""
    method = cast(Method, run.header.method)
    setting = run.experiment.setting(method)
    return Place(setting.model, setting.dataset, method)


def rank_of(run: Run) -> int:
    """The rank of a run's method."""
    return run.experiment.method(cast(Method, run.header.method)).rank


def aim(run: Run, metric: str) -> TargetProfile:
    """The run's own target of a metric, with the paper's fractions in mind; else the paper's, if it has one."""
    own = (target for target in run.experiment.targets if target.metric == metric)
    value = TARGETS.get((place_of(run).dataset, metric), TargetProfile().value)
    return next(own, TargetProfile(metric=metric, value=value, fractions=FRACTIONS))


def deviations(run: Run) -> tuple[str, ...]:
    """What of a run's setting is not as in the paper's tables, in words, the heaviest first."""
    profile, place = run.experiment, place_of(run)
    setup = SETUPS[place.dataset]
    dealt, rank = profile.partition, rank_of(run)
    clients = (dealt.clients, profile.rounds.clients_per_round)
    found = [
        *stand_ins(run),
        *([] if dealt.kind == USUAL_PARTITION else [f"partition {dealt.kind} ({USUAL_PARTITION} in the paper)"]),
        *([] if dealt.alpha == setup.alpha else [f"alpha {dealt.alpha:g} ({setup.alpha:g} in the paper)"]),
    ]
    if clients != (setup.clients, setup.clients_per_round):
        theirs = f"{setup.clients_per_round} of {setup.clients}"
        found.append(f"{clients[1]} of {clients[0]} clients a round ({theirs} in the paper)")
    if profile.rounds.over_selection:
        found.append(f"the first {clients[1]} of {profile.rounds.chosen} chosen clients (none is spare in the paper)")
    if place.method in LOW_RANK and rank != RANK:
        found.append(f"rank {rank} ({RANK} in the paper)")
    for target in profile.targets:
        theirs_value = TARGETS.get((place.dataset, target.metric), target.value)
        if target.value != theirs_value:
            found.append(f"target {target.metric} {target.value:g} ({theirs_value:g} in the paper)")
    if profile.evaluate.sample is not None:
        found.append(f"evaluated on {profile.evaluate.sample} test samples")
    return tuple(found)


def stand_ins(run: Run) -> tuple[str, ...]:
    """What a run trained on in place of what it is timed as: "trained on micro, timed as roberta-base"."""
    place = place_of(run)
    names = ((run.experiment.model.name, place.model), (run.experiment.dataset.name, place.dataset))
    return tuple(f"trained on {name}, timed as {timed_as}" for name, timed_as in names if name != timed_as)


def _fitting(runs: Iterable[Run]) -> list[Run]:
    """Runs that learned something the paper's tables have a place for, and were tested on the test split."""
    return [
        run
        for run in stats.in_order(runs)
        if run.header.method in FEDERA_METHODS
        and run.experiment.train.trainer != "null"
        and run.experiment.evaluate.split == "test"
        and place_of(run).model in MODELS
        and place_of(run).dataset in DATASETS
    ]


def _closest(groups: Sequence[Group], key_of: Callable[[Run], K]) -> dict[K, Cell]:
    """For each key the group whose setting is closest to the paper's; of equals that of most runs, then best metric."""
    found: dict[K, list[Group]] = {}
    for group in groups:
        found.setdefault(key_of(group.runs[0]), []).append(group)
    return {key: _cell(max(several, key=_closeness), len(several) - 1) for key, several in found.items()}


def _cell(group: Group, set_aside: int) -> Cell:
    return Cell(place_of(group.runs[0]), group, set_aside)


def _closeness(group: Group) -> tuple[int, int, float]:
    first = group.runs[0]
    bests = Seeded(group, aim(first, SETUPS[place_of(first).dataset].metrics[0])).bests
    return -len(deviations(first)), len(group.runs), fmean(bests) if bests else 0.0


def by_place(cells: Mapping[K, Cell]) -> tuple[Cell, ...]:
    """The cells, in the order of the paper's rows and columns."""
    order: tuple[list[str], ...] = (list(MODELS), list(DATASETS), list(FEDERA_METHODS))
    return tuple(
        sorted(cells.values(), key=lambda cell: tuple(o.index(name) for o, name in zip(order, cell.place, strict=True)))
    )
