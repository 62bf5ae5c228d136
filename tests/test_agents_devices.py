import msgspec
from hypothesis import given
from hypothesis import strategies as st

from agents.devices import MOST_BYTES, UNSEEN, device_report

FINDINGS = [{"name": "tc", "state": "ok", "says": "tc is here"}]
values = st.recursive(
    st.none() | st.integers(0, 9) | st.text(max_size=50),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
)


def test_all_that_is_known_is_in_the_report() -> None:
    shaping, idle = {"interface": "eth0"}, {"idle_w": 7.5, "duration_s": 9.0}
    report = device_report({"source": "ina3221"}, FINDINGS, shaping, idle)
    assert report.report == {"device": {"source": "ina3221"}, "doctor": FINDINGS, "shaping": shaping, "idle": idle}
    assert report.note == ""


def test_a_doctor_that_did_not_come_back_is_named() -> None:
    report = device_report(None, None, None, None)
    assert report.report == {"device": None, "doctor": None, "shaping": None, "idle": None}
    assert report.note == UNSEEN


def test_what_does_not_fit_is_left_out_and_named() -> None:
    shaping = {"interface": "eth0", "commands": ["tc qdisc add"] * 9000}
    report = device_report({"source": "ina3221"}, FINDINGS, shaping, None)
    assert report.report["shaping"] == {"interface": "eth0"}
    assert report.report["doctor"] == FINDINGS
    assert report.note == "shaping was too long and is shortened"


@given(st.dictionaries(st.text(max_size=9), values | st.just("x" * 60_000)), st.integers(0, 90_000))
def test_a_report_always_fits_its_message(device: dict[str, object], size: int) -> None:
    report = device_report(device, [{"says": "x" * size}], {"commands": ["y" * size]}, {"idle_w": 1.0})
    assert len(msgspec.msgpack.encode(report)) <= MOST_BYTES
    assert report.report["idle"] == {"idle_w": 1.0}
