"""The controller's files on the nodes of a cluster: each in the object store once, and a file once on each node."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from harness.blobs import blob_of
from harness.fleets.cluster_ray import Cluster, Handle, Ref


class Good(NamedTuple):
    """A file that was put: its hash, and its bytes in the object store."""

    sha256: str
    data: Ref


class Goods:
    """Where files are on nodes. A file that is asked for again is not read again while it is as it was."""

    def __init__(self, cluster: Cluster, holders: Mapping[str, Handle]) -> None:
        self._cluster = cluster
        self._holders = holders
        self._goods: dict[tuple[str, int, int], Good] = {}
        self._places: dict[tuple[str, str], Ref] = {}

    def on(self, node: str, file: str) -> Ref:
        """Where the file is on this node; an answer that is still to come, to be given to a process there."""
        good = self._good(file)
        place = self._places.get((node, good.sha256))
        if place is None:
            place = self._holders[node].hold.remote(good.sha256, good.data)
            self._places[node, good.sha256] = place
        return place

    def forget(self, but: Collection[str]) -> None:
        """Let go of all files, here and on the nodes, but of these."""
        kept = {key: good for key, good in self._goods.items() if key[0] in but}
        hashes = {good.sha256 for good in kept.values()}
        for node, sha256 in [place for place in self._places if place[1] not in hashes]:
            del self._places[node, sha256]
            if node in self._holders:
                self._holders[node].forget.remote(sha256)
        self._goods = kept

    def drop(self, node: str, failed: Sequence[Ref]) -> bool:
        """These answers of a node's failed: their files are put there again where they are asked for again.

        Whether there were any that had not been dropped before.
        """
        places = [
            place for place, ref in self._places.items() if place[0] == node and any(ref is one for one in failed)
        ]
        for place in places:
            del self._places[place]
        return bool(places)

    def lost(self, node: str) -> None:
        """A node is gone with all it held."""
        self._places = {place: ref for place, ref in self._places.items() if place[0] != node}

    def _good(self, file: str) -> Good:
        there = Path(file).stat()
        key = (file, there.st_mtime_ns, there.st_size)
        if key not in self._goods:
            path = Path(file)
            self._goods[key] = Good(blob_of(path).sha256, self._cluster.put(path.read_bytes()))
        return self._goods[key]
