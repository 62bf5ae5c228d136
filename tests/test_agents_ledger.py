import pytest
from hypothesis import given
from hypothesis import strategies as st
from stub_controller import blob
from test_agents_lifecycle import TASK, TRAINED, UPDATE

from agents.ledger import Ledger
from agents.steps import Transfer

DOWN = Transfer(duration_s=2.0, moved_bytes=1_000_000, link_bps=5e6)
seconds = st.floats(0.0, 1e4)


def test_rates_are_bits_over_seconds() -> None:
    up = Transfer(duration_s=4.0, moved_bytes=1_000_000, link_bps=None)
    ledger = Ledger(TASK, 0.0, 0, download=DOWN, trained=TRAINED, update=UPDATE, upload=up)
    record = ledger.record("a1", 20.0, 0)
    assert (record.download_bps, record.upload_bps, record.link_down_bps, record.link_up_bps) == (4e6, 2e6, 5e6, None)
    assert (record.download_bytes, record.upload_bytes) == (TASK.state.size_bytes, UPDATE.size_bytes)


@given(seconds, seconds, seconds)
def test_phases_sum_to_the_whole_to_the_last_bit(down_s: float, up_s: float, rest_s: float) -> None:
    down, up = (Transfer(duration_s=value, moved_bytes=1, link_bps=None) for value in (down_s, up_s))
    ledger = Ledger(TASK, 7.0, 0, download=down, trained=TRAINED, update=UPDATE, upload=up)
    record = ledger.record("a1", 7.0 + down_s + up_s + 4.75 + rest_s, 0)
    phases = record.download_s + record.load_s + record.train_s + record.serialise_s + record.upload_s
    assert record.total_s == phases + record.other_s
    assert record.other_s == pytest.approx(rest_s, abs=1e-6)


def test_a_task_that_is_not_trained_has_no_record() -> None:
    with pytest.raises(ValueError, match="trained task"):
        Ledger(TASK, 0.0, 0, download=DOWN, update=blob("u", b"u")).record("a1", 1.0, 0)
