"""The record of an update that landed: what is known here counts, and what cannot be true is noted and dropped."""

from __future__ import annotations

import time
from typing import Any

import msgspec
import pytest
from run_folders import client_record
from stub_controller import blob

from harness.fleets.beside import Beside
from harness.fleets.downlinks import Downlinks
from harness.fleets.peers import Peer
from harness.fleets.receipts import Receipts
from harness.fleets.refusals import Refusals
from harness.protocol.messages import Done, TaskRef
from harness.records import ClientRecord
from harness.timeline import Offset, Timeline
from harness.vitals import Vitals

PEER = Peer(b"1", "a", "here", 0.0)
TIMELINE = Timeline(
    arrived_s=900.0, phase_at_s={"download": 0.25}, download=Offset(offset_s=-890.0, uncertainty_s=0.001)
)
RUN_S = 20.0


class Links(Downlinks):
    def __init__(self) -> None:
        self.windows: list[tuple[float, float] | None] = []

    def allowed_bps(self, agent: str, claimed_bps: float | None, window_s: tuple[float, float] | None) -> float | None:
        self.windows.append(window_s)
        return 24e6


class Heard(Beside):
    def __init__(self) -> None:
        self.timelines: list[tuple[str, Timeline]] = []

    def compared(self, agent: str, timeline: Timeline) -> None:
        self.timelines.append((agent, timeline))


class Desk:
    def __init__(self) -> None:
        self.links, self.heard, self.refusals = Links(), Heard(), Refusals()
        self.receipts = Receipts(self.links, self.heard, self.refusals, lambda: RUN_S)

    def record(self, **told: Any) -> ClientRecord:
        ref = TaskRef(round=3, client=7, attempt=2)
        done = Done(ref=ref, record=client_record(1, 1, agent="somebody-else", **told))
        return self.receipts.record(PEER, done, blob("update", b"landed"))


def test_who_sent_it_what_landed_and_what_the_link_allowed_are_known_here() -> None:
    record = Desk().record()
    assert (record.agent, record.round, record.client, record.attempt) == ("a", 3, 7, 2)
    assert record.update_sha256 == blob("", b"landed").sha256
    assert record.link_down_bps == 24e6


def test_energy_that_cannot_be_true_is_noted_and_the_update_counts() -> None:
    desk = Desk()
    record = desk.record(energy_j=5.0, vitals=Vitals(source="nvml", samples=3, coverage=1.0, energy_j=6.0))
    assert (record.energy_j, record.vitals) == (None, None)
    assert desk.refusals.counts == {"claim": 1}


def test_the_window_of_a_download_is_told_by_this_machines_clock_and_the_comparison_is_kept() -> None:
    desk = Desk()
    zero_s = time.monotonic() - RUN_S
    desk.record(timeline=TIMELINE)
    (window,) = desk.links.windows
    assert window == (pytest.approx(zero_s + 10.25, abs=1.0), pytest.approx(zero_s + 10.75, abs=1.0))
    assert window[1] - window[0] == pytest.approx(0.5)
    assert desk.heard.timelines == [("a", TIMELINE)]


@pytest.mark.parametrize("changes", [{"download": None}, {"phase_at_s": {}}])
def test_without_the_agents_clock_there_is_no_window(changes: dict[str, Any]) -> None:
    desk = Desk()
    desk.record(timeline=msgspec.structs.replace(TIMELINE, **changes))
    assert desk.links.windows == [None]


def test_no_window_reaches_into_the_future() -> None:
    desk = Desk()
    desk.record(download_s=1e15, total_s=1e15 + 4.0, timeline=TIMELINE)
    (window,) = desk.links.windows
    assert window is not None
    assert window[1] <= time.monotonic()
