"""The phases of one task, as they become known, and the record they make. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from agents.frames import TrainedFrame
from agents.steps import Transfer
from harness.protocol.messages import BlobRef, Task
from harness.records import ClientRecord

_NOTHING = Transfer(duration_s=0.0, moved_bytes=0, link_bps=None)


@dataclass(frozen=True)
class Ledger:
    """What is known of a task; ``arrived_s`` and ``wire_bytes`` are the agent's clock and counter at its arrival."""

    task: Task
    arrived_s: float
    wire_bytes: int
    download: Transfer | None = None
    trained: TrainedFrame | None = None
    update: BlobRef | None = None
    upload: Transfer | None = None

    def record(self, agent: str, now_s: float, wire_bytes: int) -> ClientRecord:
        """The record of a trained task at ``now_s``; what no phase claims is ``other_s``, so that the phases sum up."""
        if self.trained is None or self.update is None or self.download is None:
            raise ValueError("a record is made of a trained task")
        trained, download, upload = self.trained, self.download, self.upload or _NOTHING
        claimed_s = download.duration_s + trained.load_s + trained.train_s + trained.serialise_s + upload.duration_s
        other_s = max(0.0, now_s - self.arrived_s - claimed_s)
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
            download_bytes=self.task.state.size_bytes,
            upload_bytes=self.update.size_bytes if self.upload else 0,
            wire_bytes=wire_bytes - self.wire_bytes,
            download_bps=download.achieved_bps,
            upload_bps=upload.achieved_bps,
            link_down_bps=download.link_bps,
            link_up_bps=upload.link_bps,
            loss=trained.loss,
            peak_rss_bytes=trained.peak_rss_bytes,
            warm_up=trained.warm_up,
            update_sha256=self.update.sha256,
        )
