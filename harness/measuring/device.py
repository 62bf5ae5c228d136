"""The device of a run: its seconds of local training, as a table by model, data set and method."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from statistics import fmean
from typing import NamedTuple, cast

from harness.measuring.figures import measured_name, middle_mean, significant
from harness.measuring.runs import Recorded
from harness.profiles import DeviceProfile, Method, ServerSeconds, TrainSeconds
from harness.records import ClientRecord, undisturbed

UNLIKE = 1.25
"""Two means are of unlike things where one is so many times the other."""


class LocalTraining(NamedTuple):
    """What one entry of a device's table is made of: the updates of runs that are looked up by the same words."""

    runs: tuple[Recorded, ...]
    updates: tuple[ClientRecord, ...]

    @property
    def step_s(self) -> tuple[float, ...]:
        """The seconds of a step, update by update; none where the trainer takes no steps (the null trainer)."""
        return tuple(record.train_s / record.steps for record in self.updates if record.steps)


def local_trainings(runs: Sequence[Recorded]) -> tuple[LocalTraining, ...]:
    """The updates that measure each model, data set and method.

    A trainer that has just started takes longer for its first update: such are left out where there are others, and so
    are updates that were disturbed.
    """
    together: defaultdict[tuple[str, str, str], list[Recorded]] = defaultdict(list)
    for run in runs:
        together[run.setting.model, run.setting.dataset, run.setting.method].append(run)
    trainings = []
    for of in together.values():
        updates = undisturbed([record for run in of for record in run.clients])
        settled = [record for record in updates if not record.warm_up]
        trainings.append(LocalTraining(tuple(of), tuple(settled or updates)))
    return tuple(trainings)


def measured_device(runs: Sequence[Recorded]) -> DeviceProfile:
    """The device of ``runs``, which went through :func:`harness.measuring.runs.check`.

    Seconds are robust means (:func:`harness.measuring.figures.middle_mean`). The server's SVD is that of the methods
    that take one. Its aggregation has one figure only where that of all runs is alike; of unlike payloads it is not.
    """
    device = runs[0].experiment.device
    svd_s = [run.header.svd_s for run in runs if run.header.svd_s]
    return DeviceProfile(
        name=measured_name(device.name),
        threads=device.threads,
        seconds=tuple(_entry(training) for training in local_trainings(runs)),
        server=ServerSeconds(svd_s=significant(middle_mean(svd_s)) if svd_s else None, aggregate_s=_aggregate_s(runs)),
    )


def _entry(training: LocalTraining) -> TrainSeconds:
    setting, updates, step_s = training.runs[0].setting, training.updates, training.step_s
    return TrainSeconds(
        model=setting.model,
        dataset=setting.dataset,
        method=cast("Method", setting.method),
        train_s=None if step_s else significant(middle_mean(record.train_s for record in updates)),
        step_s=significant(middle_mean(step_s)) if step_s else None,
        load_s=significant(middle_mean(record.load_s for record in updates)),
        serialise_s=significant(middle_mean(record.serialise_s for record in updates)),
        other_s=significant(middle_mean(record.other_s for record in updates)),
    )


def _aggregate_s(runs: Sequence[Recorded]) -> float | None:
    means = [middle_mean(record.aggregate_s for record in run.rounds) for run in runs]
    return None if max(means) > UNLIKE * min(means) else significant(fmean(means))


def unlike_agents(runs: Sequence[Recorded]) -> tuple[str, ...]:
    """A sentence for each method whose agents were no devices of one kind, by their seconds of training."""
    found = []
    for training in local_trainings(runs):
        by_agent: defaultdict[str, list[float]] = defaultdict(list)
        for record in training.updates:
            by_agent[record.agent].append(record.train_s / max(1, record.steps))
        mean_s = {agent: middle_mean(values) for agent, values in by_agent.items()}
        quickest, slowest = min(mean_s, key=mean_s.__getitem__), max(mean_s, key=mean_s.__getitem__)
        if mean_s[slowest] > UNLIKE * mean_s[quickest] > 0:
            times = mean_s[slowest] / mean_s[quickest]
            found.append(
                f"{training.runs[0].header.method}: a step took {slowest} {times:.1f} times the seconds of {quickest}; "
                "the measured device is neither, but between them"
            )
    return tuple(found)
