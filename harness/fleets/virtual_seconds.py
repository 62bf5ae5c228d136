"""What a virtual device's task takes, by the profiles of device and link; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.devices import LocalSeconds, local_seconds
from harness.links import achieved_bps, transfer
from harness.profiles import Experiment, Method
from harness.records import ClientRecord
from harness.rounds.commands import AssignTask
from harness.timeline import Offset, Timeline

if TYPE_CHECKING:
    from harness.learning.measured import Measured


ONE_CLOCK = Offset(offset_s=0.0, uncertainty_s=0.0)
"""A virtual device has no clock but the run's."""


def timeline(arrived_s: float, download_s: float, local: LocalSeconds) -> Timeline:
    """When the phases of a task begin, one after another; what no phase claims lies before the upload."""
    loaded_s = download_s + local.load_s
    trained_s = loaded_s + local.train_s
    upload_s = trained_s + local.serialise_s + local.other_s
    moments_s = {"download": 0.0, "load": download_s, "train": loaded_s, "serialise": trained_s, "upload": upload_s}
    return Timeline(arrived_s=arrived_s, phase_at_s=moments_s, download=ONE_CLOCK, upload=ONE_CLOCK)


class VirtualSeconds:
    """The seconds of one run's devices.

    Raises:
        ProfileError: a table of the device or the link has no entry for what is run.
    """

    def __init__(self, experiment: Experiment, method: Method) -> None:
        self._experiment = experiment
        self._setting = experiment.setting(method)
        # Said before the long work: a table without an entry for this run.
        local_seconds(experiment.device, self._setting, 1, LocalSeconds(0.0, 0.0, 0.0, 0.0))
        self._transfer_s(0, 0, "down", 0)

    def shipping_s(self, init_bytes: int) -> float:
        """What it takes to ship the factors once."""
        return self._transfer_s(0, 0, "init", init_bytes)

    def svd_s(self, measured_s: float) -> float:
        """What the server's SVD counts as; nothing where a method has none."""
        table_s = self._experiment.device.server.svd_s
        return table_s if table_s is not None and measured_s > 0 else measured_s

    def record(
        self,
        task: AssignTask,
        done: Measured,
        state_bytes: int,
        update_bytes: int,
        update_sha256: str,
        warm_up: bool,
        arrived_s: float = 0.0,
    ) -> ClientRecord:
        """The record of a task that was trained here, as if its own device had done it over its own link.

        ``state_bytes`` and ``update_bytes`` are what travels; ``arrived_s`` is the run's clock as the task was given;
        ``warm_up``: the process that trained had just started.
        """
        experiment, trained, client = self._experiment, done.trained, task.client
        here = LocalSeconds(done.load_s, done.train_s, done.serialise_s, 0.0)
        local = local_seconds(experiment.device, self._setting, trained.steps, here)
        link, seed = experiment.link, experiment.seeds.link
        down = transfer(link, self._setting, seed, task.round, client, "down", state_bytes)
        up = transfer(link, self._setting, seed, task.round, client, "up", update_bytes)
        return ClientRecord(
            round=task.round,
            client=client,
            agent=task.agent,
            attempt=task.attempt,
            samples=trained.samples,
            steps=trained.steps,
            tokens=trained.tokens,
            download_s=down.seconds,
            load_s=local.load_s,
            train_s=local.train_s,
            serialise_s=local.serialise_s,
            upload_s=up.seconds,
            other_s=local.other_s,
            total_s=down.seconds + sum(local) + up.seconds,
            provision_s=0.0,
            train_cpu_s=done.cpu_s,
            download_bytes=state_bytes,
            upload_bytes=update_bytes,
            wire_bytes=None,
            download_bps=achieved_bps(state_bytes, down.seconds),
            upload_bps=achieved_bps(update_bytes, up.seconds),
            link_down_bps=down.link_bps,
            link_up_bps=up.link_bps,
            loss=trained.loss,
            peak_rss_bytes=done.peak_rss_bytes,
            # Of a table's seconds none is a first call's.
            warm_up=warm_up and not experiment.device.seconds,
            timeline=timeline(arrived_s, down.seconds, local),
            update_sha256=update_sha256,
        )

    def _transfer_s(self, round: int, client: int, direction: str, size_bytes: int) -> float:
        experiment = self._experiment
        seed = experiment.seeds.link
        return transfer(experiment.link, self._setting, seed, round, client, direction, size_bytes).seconds
