"""What belongs to one client alone: its files in the run's folder, and FedSA-LoRA, where B and the head are such."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from harness.learning import forms
from harness.learning.aggregation import files
from harness.learning.aggregation.base import Aggregation, Ground, Update
from harness.learning.aggregation.given import form_of, layout_of, update_shapes
from harness.learning.aggregation.means import mean_rule
from harness.learning.aggregation.strategy import LowRank
from harness.learning.outgoing import Outgoing
from harness.learning.slices import Array, Shape, SlicedState

SINGLE_BYTES = 4


class Own:
    """Clients' own files, one for each round that a client took part in; the last three of each are kept.

    A round that is aggregated again finds what it found the first time, and so does the one before it: that is
    evaluated meanwhile, or opened again by a resume that finds its state lost.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def latest(self, client: int, round: int) -> Path | None:
        """What a client has from the last round before ``round`` that it took part in."""
        return max((path for path in self._files(client) if _round_of(path) < round), key=_round_of, default=None)

    def keep(self, client: int, round: int, tensors: files.Tensors) -> None:
        """Keep what a client has after a round; on the disk when this returns.

        Raises:
            OSError: it could not be written.
        """
        before = self.latest(client, round)
        oldest = before and self.latest(client, _round_of(before))
        self._of(client).mkdir(parents=True, exist_ok=True)
        files.write(self._file(client, round), tensors, synced=True)
        for path in self._files(client):
            if oldest is not None and _round_of(path) < _round_of(oldest):
                path.unlink(missing_ok=True)

    def forget(self, round: int, but: Collection[int]) -> None:
        """Let go of what an earlier attempt at a round kept of clients that are not in it now, ``but`` of those."""
        theirs = {self._file(client, round) for client in but}
        for path in self._folder.glob(f"client-*/{_name(round)}"):
            if path not in theirs:
                path.unlink(missing_ok=True)

    def _file(self, client: int, round: int) -> Path:
        return self._of(client) / _name(round)

    def _of(self, client: int) -> Path:
        return self._folder / f"client-{client:04d}"

    def _files(self, client: int) -> list[Path]:
        return sorted(self._of(client).glob("round-*.safetensors"))


class FedSA:
    """FedSA-LoRA (arXiv 2410.01463): A is shared, B and the head stay local.

    The checkpoint has, beside the global A, the means of the clients' B and heads: a reference, and what an export is
    made of. No client is ever given them. A client that was not drawn yet has the initial ones.
    """

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._own = Own(ground.folder)
        self._means = LowRank(ground, mean_rule(ground.spec.settings))
        self._made: dict[tuple[int, int], Outgoing] = {}

    def aggregate(self, round: int, before: Path, updates: Sequence[Update], out: Path, beside: Path) -> Aggregation:
        """:meth:`harness.learning.aggregation.base.Strategy.aggregate`."""
        done = self._means.aggregate(round, before, updates, out, beside)
        self._own.forget(round, but=[update.client for update in updates])
        for update in updates:
            with SlicedState(update.path) as state:
                self._own.keep(update.client, round, self._kept(round, state))
        return done

    def outgoing(self, round: int, client: int, before: Path, folder: Path) -> Outgoing:
        """:meth:`harness.learning.aggregation.base.Strategy.outgoing`."""
        if (round, client) not in self._made:
            self._made = {key: made for key, made in self._made.items() if key[0] >= round - 1}
            self._made[round, client] = self._make(round, client, before, folder)
        return self._made[round, client]

    def _make(self, round: int, client: int, before: Path, folder: Path) -> Outgoing:
        form, rank = form_of(self._ground, round), self._ground.spec.settings.rank
        with SlicedState(before) as state, SlicedState(self._own.latest(client, round) or self._ground.initial) as own:
            shared = forms.of_kinds(state.shapes, form.given - form.kept)
            tensors = {name: files.single(state, name) for name in shared} | self._kept(round, own)
            update = update_shapes(self._ground, form, rank, state.shapes)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"client-{client:04d}.safetensors"
        sha256 = files.write(path, tensors)
        kept = forms.of_kinds(update, form.kept)
        return Outgoing(
            whole=path,
            sha256=sha256,
            update=layout_of(update),
            kept_bytes=_bytes({name: tensors[name].shape for name in kept}),
            kept_update_bytes=_bytes({name: update[name] for name in kept}),
        )

    def _kept(self, round: int, state: SlicedState) -> dict[str, Array]:
        """What of a state stays with its client."""
        names = forms.of_kinds(state.shapes, form_of(self._ground, round).kept)
        return {name: files.single(state, name) for name in names}


def _bytes(shapes: Mapping[str, Shape]) -> int:
    return sum(math.prod(shape) for shape in shapes.values()) * SINGLE_BYTES


def _name(round: int) -> str:
    return f"round-{round:04d}.safetensors"


def _round_of(path: Path) -> int:
    return int(path.stem.removeprefix("round-"))
