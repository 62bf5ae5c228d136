"""Seconds of a local training on a device: its table's or those measured, times its slowdown."""

from __future__ import annotations

import pytest

from harness.devices import LocalSeconds, local_seconds
from harness.errors import ProfileError
from harness.profiles import DeviceProfile, Setting, TrainSeconds

HERE = LocalSeconds(load_s=0.25, train_s=2.0, serialise_s=0.5, other_s=0.125)
SETTING = Setting("roberta-base", "squad", "federa", 32)


def on(*entries: TrainSeconds, slowdown: float = 1.0) -> DeviceProfile:
    return DeviceProfile(
        name="board", seconds=entries, slowdown=slowdown, slower_than=None if slowdown == 1 else "another"
    )


def test_without_a_table_what_it_took_here_counts() -> None:
    assert local_seconds(on(), SETTING, 5, HERE) == HERE
    assert local_seconds(on(slowdown=4.0), SETTING, 5, HERE) == LocalSeconds(1.0, 8.0, 2.0, 0.5)


def test_each_phase_is_the_table_s_and_nothing_of_what_it_took_here() -> None:
    entry = TrainSeconds(train_s=8.0, load_s=1.0, serialise_s=2.0, other_s=4.0)
    assert local_seconds(on(entry), SETTING, 5, HERE) == LocalSeconds(1.0, 8.0, 2.0, 4.0)
    assert local_seconds(on(entry, slowdown=2.0), SETTING, 5, HERE) == LocalSeconds(2.0, 16.0, 4.0, 8.0)


@pytest.mark.parametrize(("steps", "train_s"), [(5, 7.5), (0, 0.0)])
def test_seconds_of_a_step_count_for_every_step_there_was(steps: int, train_s: float) -> None:
    assert local_seconds(on(TrainSeconds(step_s=1.5)), SETTING, steps, HERE).train_s == train_s


def test_the_first_entry_that_fits_counts_and_a_key_left_out_fits_any() -> None:
    device = on(
        TrainSeconds(model="bert-base", train_s=1.0),
        TrainSeconds(dataset="wnut2017", train_s=2.0),
        TrainSeconds(method="fedft", train_s=3.0),
        TrainSeconds(model="roberta-base", dataset="squad", method="federa", train_s=4.0),
        TrainSeconds(train_s=5.0),
    )
    assert local_seconds(device, SETTING, 1, HERE).train_s == 4.0
    assert local_seconds(device, Setting("roberta-base", "squad", "fedft", 32), 1, HERE).train_s == 3.0
    assert local_seconds(device, Setting("minilm", "sst2", "fedlr", 32), 1, HERE).train_s == 5.0


def test_a_setting_that_no_entry_fits_is_refused_with_what_the_table_knows() -> None:
    device = on(
        TrainSeconds(model="bert-base", dataset="squad", train_s=1.0), TrainSeconds(method="fedft", train_s=1.0)
    )
    says = r"'board' has no seconds for federa of model 'roberta-base' on data set 'squad', only for: "
    with pytest.raises(ProfileError, match=says + "bert-base on squad, any on any"):
        local_seconds(device, SETTING, 1, HERE)
