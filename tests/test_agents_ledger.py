import pytest
from agent_facts import TASK, TRAINED, UPDATE, kept_update
from hypothesis import given
from hypothesis import strategies as st

from agents.kept import Transfer
from agents.ledger import Ledger

DOWN = Transfer(duration_s=2.0, moved_bytes=1_000_000, link_bps=5e6)
seconds = st.floats(0.0, 1e4)


def test_rates_are_bits_over_seconds() -> None:
    up = Transfer(duration_s=4.0, moved_bytes=1_000_000, link_bps=None)
    ledger = Ledger(TASK, 0.0, 0, download=DOWN, trained=TRAINED, upload=up)
    record = ledger.record("a1", 20.0, 0)
    assert (record.download_bps, record.upload_bps, record.link_down_bps, record.link_up_bps) == (4e6, 2e6, 5e6, None)
    assert (record.download_bytes, record.upload_bytes) == (TASK.state.size_bytes, UPDATE.size_bytes)


@given(seconds, seconds, seconds)
def test_phases_sum_to_the_whole_to_the_last_bit(down_s: float, up_s: float, rest_s: float) -> None:
    down, up = (Transfer(duration_s=value, moved_bytes=1, link_bps=None) for value in (down_s, up_s))
    ledger = Ledger(TASK, 7.0, 0, download=down, trained=TRAINED, upload=up)
    record = ledger.record("a1", 7.0 + down_s + up_s + 4.75 + rest_s, 0)
    phases = record.download_s + record.load_s + record.train_s + record.serialise_s + record.upload_s
    assert record.total_s == phases + record.other_s
    assert record.other_s == pytest.approx(rest_s, abs=1e-6)


def test_a_task_that_is_not_trained_has_no_record() -> None:
    with pytest.raises(ValueError, match="trained task"):
        Ledger(TASK, 0.0, 0, download=DOWN).record("a1", 1.0, 0)


@given(seconds, seconds)
def test_a_record_of_a_task_that_was_trained_before_sums_up_as_well(up_s: float, rest_s: float) -> None:
    up = Transfer(duration_s=up_s, moved_bytes=1, link_bps=None, resumed_bytes=4)
    record = Ledger(TASK, 7.0, 0, upload=up, before=kept_update()).record("a1", 7.0 + up_s + rest_s, 0)
    phases = record.download_s + record.load_s + record.train_s + record.serialise_s + record.upload_s
    assert record.total_s == phases + record.other_s
    assert record.other_s == pytest.approx(kept_update().other_s + rest_s, abs=1e-6)
    assert record.resumed_bytes == 4


def test_bytes_and_breaks_of_an_earlier_try_are_counted_apart_and_added() -> None:
    down = Transfer(duration_s=2.0, moved_bytes=400, link_bps=None, resumed_bytes=600)
    record = Ledger(TASK, 0.0, 0, download=down, trained=TRAINED, breaks=2).record("a1", 20.0, 0)
    assert (record.resumed_bytes, record.breaks, record.download_bps) == (600, 2, 1600.0)
