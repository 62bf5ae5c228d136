"""How well measured profiles predict the runs they were measured on."""

from __future__ import annotations

import msgspec
import pytest
from measured_runs import AGGREGATE_S, STEP_S, UNSHAPED, experiment, run

from harness.errors import ProfileError
from harness.measuring import PhaseError, Recorded, Replay, measured_device, measured_link, replayed
from harness.profiles import TrainSeconds


def replay(*runs: Recorded) -> tuple[Replay, ...]:
    return replayed(runs, measured_device(runs), measured_link(runs))


def phase(of: Replay, name: str) -> PhaseError:
    return next(found for found in of.phases if found.phase == name)


def test_each_phase_is_told_and_a_steady_run_is_predicted_well() -> None:
    (of,) = replay(run())
    names = ["download", "load", "train", "serialise", "upload", "other", "client total", "aggregate", "round"]
    assert [found.phase for found in of.phases] == names
    assert (of.run, of.method, of.rounds, of.updates) == ("runs/federa", "federa", 4, 12)
    for found in of.phases:
        assert found.error == pytest.approx(0.0, abs=0.005), found.phase
        assert found.total_error == pytest.approx(0.0, abs=0.005), found.phase
        assert found.by_round_error == pytest.approx(0.0, abs=0.005), found.phase
        assert found.held_out_error == pytest.approx(0.0, abs=0.005), found.phase


def test_the_seconds_are_computed_and_not_copied() -> None:
    real = run()
    twice = msgspec.structs.replace(measured_device([real]), slowdown=2.0, slower_than="desk")
    (of,) = replayed([real], twice, msgspec.structs.replace(measured_link([real]), overhead_s=10.0))
    for name in ("load", "train", "serialise", "other"):
        assert phase(of, name).error == pytest.approx(1.0), name
    assert phase(of, "download").predicted_s == pytest.approx(phase(of, "download").real_s + 10, abs=0.01)


def test_the_run_s_own_link_is_computed_like_any_other() -> None:
    real = run()
    slow = real._replace(clients=tuple(msgspec.structs.replace(r, download_s=99.0) for r in real.clients))
    (of,) = replayed([slow], measured_device([slow]), slow.experiment.link)
    assert phase(of, "download").predicted_s < 1


def test_a_total_tells_what_a_median_hides() -> None:
    stalls = [
        msgspec.structs.replace(record, train_s=100 * STEP_S * record.steps) if place == 0 else record
        for place, record in enumerate(run().clients)
    ]
    (of,) = replay(run(updates=stalls))
    found = phase(of, "train")
    assert found.error == pytest.approx(0.0, abs=0.2)
    assert found.total_error is not None
    assert found.total_error < -0.8
    assert found.by_round_error == pytest.approx(0.0, abs=1e-4)


def test_even_rounds_are_tested_with_profiles_of_odd_ones_alone() -> None:
    drifting = [
        msgspec.structs.replace(record, train_s=record.train_s * (1 if record.round % 2 else 2))
        for record in run().clients
    ]
    (of,) = replay(run(updates=drifting))
    assert phase(of, "train").held_out_error == pytest.approx(-0.5, abs=1e-3)
    assert phase(of, "train").held_out_total_error == pytest.approx(-0.5, abs=1e-3)


def test_one_round_holds_none_out() -> None:
    (of,) = replay(run(rounds=1))
    assert {found.held_out_error for found in of.phases} == {None}
    assert {found.held_out_total_error for found in of.phases} == {None}


def test_several_runs_share_the_profiles_and_are_told_apart() -> None:
    small, large = replay(run(method="fedbf", size_bytes=100_000), run(method="fedft", size_bytes=5_000_000))
    assert (small.method, large.method) == ("fedbf", "fedft")
    assert phase(large, "download").real_s > 10 * phase(small, "download").real_s
    for of in (small, large):
        assert phase(of, "download").error == pytest.approx(0.0, abs=0.05)
        assert phase(of, "upload").error == pytest.approx(0.0, abs=0.05)


def test_aggregation_without_common_seconds_is_not_called_predicted() -> None:
    large = run(method="fedft")
    slow = large._replace(rounds=tuple(msgspec.structs.replace(r, aggregate_s=2.0) for r in large.rounds))
    for of, real_s in zip(replay(run(), slow), (AGGREGATE_S, 2.0), strict=True):
        found = phase(of, "aggregate")
        assert found.real_s == real_s
        assert (found.predicted_s, found.predicted_total_s, found.error, found.by_round_error) == (None,) * 4


def test_the_whole_run_is_what_came_before_it_and_all_rounds() -> None:
    real = run()
    (of,) = replay(real)
    assert of.real_s == pytest.approx(8.5 + sum(record.critical_path_s for record in real.rounds))
    assert of.predicted_s < of.real_s
    assert of.error == pytest.approx(of.predicted_s / of.real_s - 1)


def test_a_phase_that_took_nothing_has_no_relative_error() -> None:
    nothing = [msgspec.structs.replace(record, load_s=0.0) for record in run().clients]
    (of,) = replay(run(updates=nothing))
    assert phase(of, "load").error is None
    assert phase(of, "load").by_round_error is None


def test_a_device_of_another_method_says_what_it_has() -> None:
    device = msgspec.structs.replace(measured_device([run()]), seconds=(TrainSeconds(method="fedft", step_s=1.0),))
    with pytest.raises(ProfileError, match="has no seconds for federa"):
        replayed([run()], device, measured_link([run()]))


def test_an_unshaped_run_is_predicted_by_rates_drawn_from_its_own() -> None:
    real = run(experiment(link=UNSHAPED), rounds=20)
    moved = real._replace(
        clients=tuple(
            msgspec.structs.replace(record, download_s=0.2 + 0.01 * (record.round % 3), upload_s=0.4)
            for record in real.clients
        )
    )
    (of,) = replay(moved)
    assert phase(of, "upload").error == pytest.approx(0.0, abs=1e-4)
    assert phase(of, "download").total_error == pytest.approx(0.0, abs=0.02)
