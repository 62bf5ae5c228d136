import pytest
from agent_facts import STATE, TASK, TRAINED, UPDATE, kept_update
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from agents.kept import Transfer
from agents.ledger import Ledger
from agents.offset import Clocks, Exchange
from harness.timeline import Offset
from harness.vitals import Vitals

DOWN = Transfer(duration_s=2.0, moved_bytes=1_000_000, link_bps=5e6)
seconds = st.floats(0.0, 1e4)


def test_rates_are_bits_over_seconds() -> None:
    up = Transfer(duration_s=4.0, moved_bytes=1_000_000, link_bps=None)
    ledger = Ledger(TASK, 0.0, 0, STATE, download=DOWN, trained=TRAINED, upload=up)
    record = ledger.record("a1", 20.0, 0, Clocks())
    assert (record.download_bps, record.upload_bps, record.link_down_bps, record.link_up_bps) == (4e6, 2e6, 5e6, None)
    assert (record.download_bytes, record.upload_bytes) == (TASK.state.size_bytes, UPDATE.size_bytes)


@given(seconds, seconds, seconds)
def test_phases_sum_to_the_whole_to_the_last_bit(down_s: float, up_s: float, rest_s: float) -> None:
    down, up = (Transfer(duration_s=value, moved_bytes=1, link_bps=None) for value in (down_s, up_s))
    ledger = Ledger(TASK, 7.0, 0, STATE, download=down, trained=TRAINED, upload=up)
    record = ledger.record("a1", 7.0 + down_s + up_s + 4.75 + rest_s, 0, Clocks())
    phases = record.download_s + record.load_s + record.train_s + record.serialise_s + record.upload_s
    assert record.total_s == phases + record.other_s
    assert record.other_s == pytest.approx(rest_s, abs=1e-6)


def test_a_task_that_is_not_trained_has_no_record() -> None:
    with pytest.raises(ValueError, match="trained task"):
        Ledger(TASK, 0.0, 0, STATE, download=DOWN).record("a1", 1.0, 0, Clocks())


@given(seconds, seconds)
def test_a_record_of_a_task_that_was_trained_before_sums_up_as_well(up_s: float, rest_s: float) -> None:
    up = Transfer(duration_s=up_s, moved_bytes=1, link_bps=None, resumed_bytes=4)
    record = Ledger(TASK, 7.0, 0, STATE, upload=up, before=kept_update()).record("a1", 7.0 + up_s + rest_s, 0, Clocks())
    phases = record.download_s + record.load_s + record.train_s + record.serialise_s + record.upload_s
    assert record.total_s == phases + record.other_s
    assert record.other_s == pytest.approx(kept_update().other_s + rest_s, abs=1e-6)
    assert record.resumed_bytes == 4


VITALS = Vitals(source="ina3221", samples=50, coverage=1.0, energy_j=120.5)


def clocks_that_know(direction: str, rtt_s: float) -> Clocks:
    clocks = Clocks()
    clocks.begin(direction, 0.0)
    clocks.compared(Exchange(at_s=1.0, offset_s=-3.0, rtt_s=rtt_s))
    return clocks


def test_a_record_tells_when_each_phase_began_since_its_task_came() -> None:
    up = Transfer(duration_s=3.0, moved_bytes=1, link_bps=None)
    trained = replace(TRAINED, began_s=112.5)
    ledger = Ledger(TASK, 110.0, 0, STATE, download=DOWN, landed_s=112.25, trained=trained, upload=up)
    timeline = ledger.record("a1", 121.0, 0, clocks_that_know("download", 0.5)).timeline
    assert timeline.arrived_s == 110.0
    assert timeline.phase_at_s == {"download": 0.25, "load": 2.5, "train": 3.0, "serialise": 7.0, "upload": 8.0}
    assert timeline.download == Offset(offset_s=-3.0, uncertainty_s=0.25)
    assert timeline.upload is None


@given(*[st.floats(0.0, 1e5)] * 5)
def test_phases_follow_each_other_and_end_with_the_task(arrived_s, wait_s, down_s, pause_s, up_s) -> None:
    down, up = (Transfer(duration_s=value, moved_bytes=1, link_bps=None) for value in (down_s, up_s))
    landed_s = arrived_s + wait_s + down_s
    trained = replace(TRAINED, began_s=landed_s + pause_s)
    now_s = landed_s + 2 * pause_s + 4.75 + up_s
    record = Ledger(TASK, arrived_s, 0, STATE, down, landed_s, trained, up).record("a1", now_s, 0, Clocks())
    began_s, ended_s = record.timeline.phase_at_s, 0.0
    for phase in ("download", "load", "train", "serialise", "upload"):
        assert began_s[phase] >= ended_s - 1e-6
        ended_s = began_s[phase] + getattr(record, f"{phase}_s")
    assert ended_s <= record.total_s + 1e-6


def test_the_energy_of_a_task_is_that_of_its_vitals() -> None:
    ledger = Ledger(TASK, 0.0, 0, STATE, download=DOWN, trained=TRAINED)
    record = ledger.record("a1", 20.0, 0, Clocks(), VITALS)
    assert (record.energy_j, record.vitals) == (120.5, VITALS)
    assert ledger.record("a1", 20.0, 0, Clocks()).energy_j is None


def test_of_a_task_that_was_trained_before_neither_energy_nor_moments_are_told() -> None:
    record = Ledger(TASK, 7.0, 0, STATE, before=kept_update()).record("a1", 9.0, 0, Clocks(), VITALS)
    assert (record.energy_j, record.vitals, record.timeline) == (None, None, None)


def test_bytes_and_breaks_of_an_earlier_try_are_counted_apart_and_added() -> None:
    down = Transfer(duration_s=2.0, moved_bytes=400, link_bps=None, resumed_bytes=600)
    record = Ledger(TASK, 0.0, 0, STATE, download=down, trained=TRAINED, breaks=2).record("a1", 20.0, 0, Clocks())
    assert (record.resumed_bytes, record.breaks, record.download_bps) == (600, 2, 1600.0)
