"""The record of an update that has landed: what its agent says of it, and what is known better here."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from harness.fleets.beside import Beside
from harness.fleets.beside_claims import believed
from harness.fleets.downlinks import Downlinks
from harness.fleets.peers import Peer
from harness.fleets.refusals import Refusals
from harness.protocol.messages import BlobRef, Done
from harness.records import ClientRecord


class Receipts:
    """Makes the records of one run. ``now`` is the run's clock."""

    def __init__(self, downlinks: Downlinks, beside: Beside, refusals: Refusals, now: Callable[[], float]) -> None:
        self._downlinks, self._beside, self._refusals, self._now = downlinks, beside, refusals, now

    def record(self, peer: Peer, done: Done, landed: BlobRef) -> ClientRecord:
        """The record of an update whose phases and bytes may be true.

        Who sent it and what landed is known here; an agent's word on it is not taken. What it says of energy and
        moments is dropped where it cannot be true, and that is noted: the update counts.
        """
        record, doubts = believed(done.record, self._now())
        for doubt in doubts:
            self._refusals.note("claim", f"what agent {peer.name} says beside an update cannot be true: {doubt}")
        if record.timeline is not None:
            self._beside.compared(peer.name, record.timeline)
        return msgspec.structs.replace(
            record,
            agent=peer.name,
            round=done.ref.round,
            client=done.ref.client,
            attempt=done.ref.attempt,
            update_sha256=landed.sha256,
            link_down_bps=self._downlinks.allowed_bps(peer.name, record.link_down_bps, self._download_window_s(record)),
        )

    def _download_window_s(self, record: ClientRecord) -> tuple[float, float] | None:
        """When the state travelled, by this machine's monotonic clock; None where the agent's clock is not known."""
        timeline = record.timeline
        if timeline is None or timeline.download is None or "download" not in timeline.phase_at_s:
            return None
        now_s = time.monotonic()
        begin_s = timeline.arrived_s + timeline.phase_at_s["download"] + timeline.download.offset_s
        begin_s += now_s - self._now()
        return begin_s, min(now_s, begin_s + record.download_s)
