"""What the runs of a report are: where their seconds come from, what they share, and where they differ; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from analysis import stats, units
from analysis.flat import flatten
from analysis.load import Run

RUN_COLUMNS = ("run", "method", "seed", "state", "rounds", "agents", "started", "profile")


def facts(runs: Sequence[Run]) -> tuple[tuple[str, str], ...]:
    """What stands under the title, name and value: the same for all runs, or all of what differs."""
    columns: dict[str, list[str]] = {
        "model": [_with(run.experiment.model.name, run.experiment.model.timed_as) for run in runs],
        "data": [_with(run.experiment.dataset.name, run.experiment.dataset.timed_as) for run in runs],
        "link": [run.experiment.link.name for run in runs],
        "device": [run.experiment.device.name for run in runs],
        "clients": [_clients(run) for run in runs],
        "fleet": [_fleet(run) for run in runs],
        "clock": [str(run.header.clock or "not started") for run in runs],
        "seeds": [str(run.header.seed) for run in sorted(runs, key=lambda run: run.header.seed)],
    }
    return tuple((name, ", ".join(dict.fromkeys(values))) for name, values in columns.items())


def basis(runs: Sequence[Run]) -> tuple[str, ...]:
    """Where the seconds of virtual fleets come from, one sentence for each kind of them; nothing of measured ones."""
    virtual = [run for run in runs if is_virtual(run)]
    whose = "" if len(virtual) == len(runs) else f"Of {units.counted(len(virtual), 'run')} of {len(runs)}: "
    return tuple(dict.fromkeys(whose + _basis(run) for run in virtual))


def is_virtual(run: Run) -> bool:
    """Whether a run was timed by profiles, and not by agents."""
    return run.experiment.virtual


@dataclass(frozen=True)
class Setting:
    """One key and its value; where runs differ, ``values`` has one "run: value" for each."""

    key: str
    values: tuple[str, ...]
    differs: bool


def settings(runs: Sequence[Run], trees: Sequence[Mapping[str, Any]]) -> tuple[Setting, ...]:
    """The leaves of nested mappings, one for each run, side by side where they differ."""
    flats = [flatten(tree) for tree in trees]
    differing = set(stats.differing_keys(trees))
    found = []
    for key in dict.fromkeys(key for flat in flats for key in flat):
        if key in differing:
            values = [f"{label}: {_word(flat.get(key))}" for label, flat in zip(stats.labels(runs), flats, strict=True)]
            found.append(Setting(key, tuple(values), True))
        else:
            found.append(Setting(key, (_word(flats[0][key]),), False))
    return tuple(found)


def run_row(run: Run) -> tuple[str, ...]:
    """A run as the list of runs shows it, by :data:`RUN_COLUMNS`."""
    header = run.header
    return (
        header.run_id,
        stats.method_name(header.method),
        str(header.seed),
        header.state,
        units.count(len(run.rounds)),
        "virtual" if is_virtual(run) else units.count(len(header.agents)),
        header.started_at.replace("T", " ")[:16],
        header.profile_sha256[:12],
    )


def _clients(run: Run) -> str:
    rounds = run.experiment.rounds
    first = f" (the first of {rounds.chosen})" if rounds.over_selection else ""
    return f"{rounds.clients_per_round} of {run.experiment.partition.clients} a round{first}"


def _fleet(run: Run) -> str:
    return "virtual: seconds of profiles, not measured" if is_virtual(run) else "agents: seconds measured"


def _basis(run: Run) -> str:
    """Training seconds of a device without a table are those it took where it ran, times the device's slowdown."""
    device, link = run.experiment.device, run.experiment.link
    if device.seconds:
        return (
            f"Seconds were not measured: they are those of the device profile {device.name} and the link profile "
            f"{link.name}, on a virtual clock."
        )
    slower = f", times {device.slowdown:g}" if device.slowdown != 1 else ""
    where = "Ray cluster" if run.experiment.fleet == "ray" else "machine"
    return (
        f"Seconds of transfers were not measured: they are those of the link profile {link.name}, on a virtual clock. "
        f"Seconds of training are those that it took on the {where} that ran it{slower}."
    )


def _with(name: str, timed_as: str | None) -> str:
    return f"{name} (timed as {timed_as})" if timed_as and timed_as != name else name


def _word(value: Any) -> str:
    """A setting's value as text; what is not a plain word or number as JSON."""
    if value is None:
        return "none"
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
