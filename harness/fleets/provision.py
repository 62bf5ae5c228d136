"""What agents get before their first task, once: base weights, shards, and the method's initial state."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from harness.blobs import blob_of
from harness.fleets.shelf import Shelf
from harness.learning.workload import Workload
from harness.profiles import LinkProfile
from harness.protocol.messages import Provision


@dataclass(frozen=True)
class Provisioning:
    """The message that names the blobs, and the shelf they are fetched from."""

    message: Provision
    shelf: Shelf

    @property
    def untimed(self) -> frozenset[str]:
        """The hashes of what is fetched as fast as it comes: no link is shaped for it."""
        return frozenset(blob.sha256 for blob in (*self.message.base, *self.message.shards))


def provisioning(workload: Workload, link: LinkProfile, link_seed: int, telemetry_hz: float = 0.0) -> Provisioning:
    """Hash the workload's files and put them on a shelf. The rest is for the message as it is."""
    shelf = Shelf()
    base = {name: blob_of(path, name) for name, path in sorted(workload.base.items())}
    shards = {client: blob_of(path, str(client)) for client, path in sorted(workload.shards.items())}
    for name, blob in base.items():
        shelf.put(blob, workload.base[name])
    for client, blob in shards.items():
        shelf.put(blob, workload.shards[client])
    init = None
    if workload.init is not None:
        init = blob_of(workload.init, "init")
        shelf.put(init, workload.init)
    message = Provision(
        base=tuple(base.values()),
        shards=tuple(shards.values()),
        init=init,
        prepare=msgspec.to_builtins(workload.prepare),
        link=link,
        link_seed=link_seed,
        telemetry_hz=telemetry_hz,
    )
    return Provisioning(message, shelf)
