"""How well a run is predicted by profiles: its rounds computed anew under them, against its real seconds, by phase."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

import msgspec

from harness.measuring.device import measured_device
from harness.measuring.link import measured_link
from harness.measuring.runs import Recorded
from harness.profiles import DeviceProfile, LinkProfile
from harness.retiming import Conditions, recomputed

CLIENT_PHASES: Mapping[str, str] = {
    "download": "download_s",
    "load": "load_s",
    "train": "train_s",
    "serialise": "serialise_s",
    "upload": "upload_s",
    "other": "other_s",
    "client total": "total_s",
}
"""Phases by their name in tables, with the field of :class:`harness.records.ClientRecord` that holds them."""

AGGREGATE = "aggregate"
ROUND_PHASES: Mapping[str, str] = {AGGREGATE: "aggregate_s", "round": "critical_path_s"}
"""The same of :class:`harness.records.RoundRecord`. A round is its slowest client and aggregation, by either clock."""

ByRound = Mapping[int, Sequence[float]]
"""A phase's seconds in each round: one for each update, or one for what rounds have."""


class PhaseError(msgspec.Struct, frozen=True, kw_only=True):
    """One phase of a run, real and predicted. Errors are relative: 0.05 is 5 % too long.

    ``real_s`` and ``predicted_s`` are medians over updates (over rounds for what rounds have), the totals sums over the
    run. ``by_round_error`` is the median over rounds of the absolute error of a round's sum. ``held_out_error`` and
    ``held_out_total_error`` are ``error`` and ``total_error`` of the even rounds, predicted by profiles that were
    measured on the odd ones alone. Errors are null where nothing was real or nothing is predicted, or, held out, where
    a run has no rounds of both kinds.
    """

    phase: str
    real_s: float
    predicted_s: float | None
    error: float | None
    real_total_s: float
    predicted_total_s: float | None
    total_error: float | None
    by_round_error: float | None
    held_out_error: float | None
    held_out_total_error: float | None


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """A run under measured profiles. ``real_s`` and ``predicted_s`` are the whole run: SVD, shipping, all rounds."""

    run: str
    method: str
    rounds: int
    updates: int
    phases: tuple[PhaseError, ...]
    real_s: float
    predicted_s: float
    error: float | None


def replayed(runs: Sequence[Recorded], device: DeviceProfile, link: LinkProfile) -> tuple[Replay, ...]:
    """Each of ``runs`` as ``device`` and ``link``, which were measured on them, predict it.

    Raises:
        ProfileError: a table has no seconds for a run.
        StoreError: a client that completed a round has no record.
    """
    odd = [run.only(_is_odd) for run in runs]
    held_out = None
    if all(run.clients for run in odd):
        held_out = Conditions(device=measured_device(odd), link=measured_link(odd))
    return tuple(_replay(run, Conditions(device=device, link=link), held_out) for run in runs)


def _is_odd(round: int) -> bool:
    return round % 2 == 1


def _is_even(round: int) -> bool:
    return not _is_odd(round)


def _replay(run: Recorded, conditions: Conditions, held_out: Conditions | None) -> Replay:
    predicted, unseen = _predicted(run, conditions), run.only(_is_even)
    real, model = _by_phase(run), _by_phase(predicted, conditions)
    tested: Mapping[str, ByRound] = {}
    if held_out is not None and unseen.clients:
        tested = _by_phase(_predicted(unseen, held_out), held_out)
    real_unseen = _by_phase(unseen)
    real_s, predicted_s = _whole_s(run), _whole_s(predicted)
    return Replay(
        run=run.name,
        method=run.header.method,
        rounds=len(run.rounds),
        updates=len(run.clients),
        phases=tuple(
            _phase_error(phase, real[phase], model.get(phase, {}), real_unseen[phase], tested.get(phase, {}))
            for phase in real
        ),
        real_s=real_s,
        predicted_s=predicted_s,
        error=_relative(real_s, predicted_s),
    )


def _predicted(run: Recorded, conditions: Conditions) -> Recorded:
    """The run with all its seconds computed from the profiles."""
    header, rounds, clients = recomputed(run.experiment, run.header, run.rounds, run.clients, conditions)
    return run._replace(header=header, rounds=rounds, clients=clients)


def _by_phase(run: Recorded, conditions: Conditions | None = None) -> dict[str, ByRound]:
    """The seconds of each phase. Of a run that was computed under ``conditions``, without what was only copied."""
    found: dict[str, ByRound] = {}
    for phase, field in CLIENT_PHASES.items():
        by_round: dict[int, list[float]] = {}
        for record in run.clients:
            by_round.setdefault(record.round, []).append(getattr(record, field))
        found[phase] = by_round
    for phase, field in ROUND_PHASES.items():
        found[phase] = {record.round: [getattr(record, field)] for record in run.rounds}
    if conditions is not None and conditions.device is not None and conditions.device.server.aggregate_s is None:
        del found[AGGREGATE]
    return found


def _phase_error(
    phase: str, real: ByRound, predicted: ByRound, real_unseen: ByRound, predicted_unseen: ByRound
) -> PhaseError:
    measured_s, model_s = _all(real), _all(predicted)
    unseen_s, tested_s = _all(real_unseen), _all(predicted_unseen)
    return PhaseError(
        phase=phase,
        real_s=median(measured_s),
        predicted_s=median(model_s) if model_s else None,
        error=_relative(median(measured_s), median(model_s)) if model_s else None,
        real_total_s=sum(measured_s),
        predicted_total_s=sum(model_s) if model_s else None,
        total_error=_relative(sum(measured_s), sum(model_s)) if model_s else None,
        by_round_error=_by_round_error(real, predicted),
        held_out_error=_relative(median(unseen_s), median(tested_s)) if tested_s else None,
        held_out_total_error=_relative(sum(unseen_s), sum(tested_s)) if tested_s else None,
    )


def _all(values: ByRound) -> list[float]:
    return [value for of in values.values() for value in of]


def _by_round_error(real: ByRound, predicted: ByRound) -> float | None:
    errors = [_relative(sum(real[round]), sum(of)) for round, of in predicted.items()]
    known = [abs(error) for error in errors if error is not None]
    return median(known) if known else None


def _relative(real_s: float, predicted_s: float) -> float | None:
    return predicted_s / real_s - 1 if real_s else None


def _whole_s(run: Recorded) -> float:
    return (run.header.init_s or 0.0) + sum(record.critical_path_s for record in run.rounds)
