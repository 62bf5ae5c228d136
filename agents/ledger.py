"""The phases of one task, as they become known, and the record they make. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from agents.frames import TrainedFrame
from agents.kept import Kept, TaskKey, Transfer
from agents.offset import Clocks
from harness.protocol.messages import BlobRef, Task
from harness.records import ClientRecord
from harness.timeline import Timeline
from harness.vitals import Vitals

_NOTHING = Transfer(duration_s=0.0, moved_bytes=0, link_bps=None)


@dataclass(frozen=True)
class Ledger:
    """What is known of a task; ``arrived_s`` and ``wire_bytes`` are the agent's clock and counter at its arrival.

    ``blob`` is what it fetches: the state, or less; ``landed_s`` is the agent's clock as that was here. ``breaks``
    counts connections that broke since the arrival. ``before`` is what was measured where the task was trained already;
    download and training are taken from there.
    """

    task: Task
    arrived_s: float
    wire_bytes: int
    blob: BlobRef
    download: Transfer | None = None
    landed_s: float = 0.0
    trained: TrainedFrame | None = None
    upload: Transfer | None = None
    breaks: int = 0
    before: Kept | None = None

    @property
    def update(self) -> BlobRef:
        """The update of a trained task."""
        return self._done()[1].update

    def kept(self, key: TaskKey, now_s: float, wire_bytes: int) -> Kept:
        """What is to be kept of the task, which was trained until ``now_s``."""
        download, trained = self._done()
        claimed_s = download.duration_s + trained.load_s + trained.train_s + trained.serialise_s
        return Kept(
            key=key,
            update=trained.update,
            download_bytes=self.blob.size_bytes,
            download=download,
            trained=trained,
            other_s=max(0.0, now_s - self.arrived_s - claimed_s),
            wire_bytes=wire_bytes - self.wire_bytes,
            breaks=self.breaks,
        )

    def record(
        self, agent: str, now_s: float, wire_bytes: int, clocks: Clocks, vitals: Vitals | None = None
    ) -> ClientRecord:
        """The record of a trained task at ``now_s``; what no phase claims is ``other_s``, so that the phases sum up.

        ``vitals`` are those of the time since its arrival: of a task that was trained before they tell too little.
        """
        vitals = vitals if self.before is None else None
        download, trained = self._done()
        upload, before = self.upload or _NOTHING, self.before
        claimed_s = download.duration_s + trained.load_s + trained.train_s + trained.serialise_s + upload.duration_s
        here_s = claimed_s if before is None else upload.duration_s
        other_s = max(0.0, now_s - self.arrived_s - here_s) + (before.other_s if before else 0.0)
        return ClientRecord(
            round=self.task.ref.round,
            client=self.task.ref.client,
            agent=agent,
            attempt=self.task.ref.attempt,
            samples=trained.samples,
            steps=trained.steps,
            tokens=trained.tokens,
            download_s=download.duration_s,
            load_s=trained.load_s,
            train_s=trained.train_s,
            serialise_s=trained.serialise_s,
            upload_s=upload.duration_s,
            other_s=other_s,
            total_s=claimed_s + other_s,
            provision_s=0.0,
            train_cpu_s=trained.cpu_s,
            download_bytes=self.blob.size_bytes if before is None else before.download_bytes,
            upload_bytes=trained.update.size_bytes if self.upload else 0,
            wire_bytes=wire_bytes - self.wire_bytes + (before.wire_bytes if before else 0),
            download_bps=download.achieved_bps,
            upload_bps=upload.achieved_bps,
            link_down_bps=download.link_bps,
            link_up_bps=upload.link_bps,
            loss=trained.loss,
            peak_rss_bytes=trained.peak_rss_bytes,
            warm_up=trained.warm_up,
            breaks=self.breaks + (before.breaks if before else 0),
            resumed_bytes=download.resumed_bytes + upload.resumed_bytes,
            energy_j=None if vitals is None else vitals.energy_j,
            vitals=vitals,
            timeline=self._timeline(now_s, clocks),
            update_sha256=trained.update.sha256,
        )

    def _timeline(self, now_s: float, clocks: Clocks) -> Timeline | None:
        """When the phases began, since the arrival; those of the trainer process follow each other from its stamp."""
        download, trained = self.download, self.trained
        if self.before is not None or download is None or trained is None:
            return None
        began_s = {
            "download": self.landed_s - download.duration_s,
            "load": trained.began_s,
            "train": trained.began_s + trained.load_s,
            "serialise": trained.began_s + trained.load_s + trained.train_s,
        }
        if self.upload is not None:
            began_s["upload"] = now_s - self.upload.duration_s
        return Timeline(
            arrived_s=self.arrived_s,
            phase_at_s={phase: max(0.0, at_s - self.arrived_s) for phase, at_s in began_s.items()},
            download=clocks.offset("download"),
            upload=clocks.offset("upload"),
        )

    def _done(self) -> tuple[Transfer, TrainedFrame]:
        download, trained = self.download, self.trained
        if self.before is not None:
            download, trained = self.before.download, self.before.trained
        if trained is None or download is None:
            raise ValueError("a record is made of a trained task")
        return download, trained
