"""What clients are given of a checkpoint: files cut to what the round's form asks for, and to a client's rank."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from harness.blobs import blob_of
from harness.learning import forms
from harness.learning.aggregation import files
from harness.learning.aggregation.base import Ground
from harness.learning.forms import Form, Kinds
from harness.learning.outgoing import Lean, Outgoing
from harness.learning.slices import Array, Shape, SlicedState
from harness.tensorfile import Layout, Tensor

STACK_FILE = "stack.safetensors"
"""What was added to the frozen weights at the end of the round before, as factors."""
_PLAIN = Form(frozenset({"rest"}), frozenset({"rest"}))


class Given:
    """Makes the files of the round that is open. A checkpoint that is all that is given is given as it is, uncopied.

    A file is made once in a process; in a later one it is made again, with the same bytes.
    """

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._made: dict[tuple[int, int], Outgoing] = {}
        self._known: tuple[Path, str] | None = None

    def knows(self, checkpoint: Path, sha256: str) -> str:
        """The hash of a checkpoint that was written just now: the file need not be read for it again. Returns it."""
        self._known = checkpoint, sha256
        return sha256

    def outgoing(self, round: int, client: int, before: Path, folder: Path) -> Outgoing:
        """:meth:`harness.learning.aggregation.base.Strategy.outgoing`. ``folder`` is called round-NNNN.

        Raises:
            BlobError: the checkpoint is not safetensors of float32.
            OSError: a file could not be written.
        """
        rank = self._ground.spec.settings.rank_of(client)
        if (round, rank) not in self._made:
            self._made = {key: made for key, made in self._made.items() if key[0] >= round - 1}
            self._made[round, rank] = self._make(round, rank, before, folder)
        return self._made[round, rank]

    def _make(self, round: int, rank: int, before: Path, folder: Path) -> Outgoing:
        form = form_of(self._ground, round)
        with SlicedState(before) as state:
            whole = self._whole(round, rank, state, folder)
            sha256 = self._sha256_of(before) if whole is None else whole
            path = before if whole is None else folder / _file("whole", rank)
            return Outgoing(
                whole=path,
                sha256=sha256,
                update=layout_of(update_shapes(self._ground, form, rank, state.shapes)),
                lean=self._lean(round, rank, state, folder, path.stat().st_size),
            )

    def _sha256_of(self, checkpoint: Path) -> str:
        if self._known is not None and self._known[0] == checkpoint:
            return self._known[1]
        return blob_of(checkpoint).sha256

    def _whole(self, round: int, rank: int, state: SlicedState, folder: Path) -> str | None:
        """The hash of the file that is written; None: the checkpoint is what is given.

        What a lean file of the next round builds on is always a file of its own, for its hash to be had then.
        """
        form, later = form_of(self._ground, round), form_of(self._ground, round + 1)
        names = given_names(state.shapes, form)
        built_on = form.change or later.lean is not None
        if len(names) == len(state.shapes) and rank == self._ground.spec.settings.rank and not built_on:
            return None
        folder.mkdir(parents=True, exist_ok=True)
        return files.write(folder / _file("whole", rank), cut_tensors(state, names, rank))

    def _lean(self, round: int, rank: int, state: SlicedState, folder: Path, whole_bytes: int) -> Lean | None:
        """A smaller file for who has the whole one of the round before; None where there is no smaller one."""
        form = form_of(self._ground, round)
        stack = folder / STACK_FILE
        kinds = form.lean
        if form.change:
            kinds = (kinds or form.given) if stack.is_file() else None
        since = None if kinds is None else self._whole_before(round, rank, folder)
        if kinds is None or since is None:
            return None
        tensors = cut_tensors(state, forms.of_kinds(state.shapes, kinds), rank)
        if form.change:
            with SlicedState(stack) as added:
                tensors |= cut_tensors(added, added.shapes, rank)
        path = folder / _file("lean", rank)
        sha256 = files.write(path, tensors)
        if path.stat().st_size < whole_bytes:
            return Lean(path, sha256, since)
        path.unlink()
        return None

    def _whole_before(self, round: int, rank: int, folder: Path) -> str | None:
        """The hash of the whole file of the round before; None where it is not kept any more."""
        if made := self._made.get((round - 1, rank)):
            return made.sha256
        path = folder.with_name(f"round-{round - 1:04d}") / _file("whole", rank)
        return blob_of(path).sha256 if path.is_file() else None


def form_of(ground: Ground, round: int) -> Form:
    """The form of a round; of a run without adapted layers (the null trainer's too) everything is ``rest``."""
    return forms.form_of(ground.spec.method, ground.spec.settings, round) if ground.layers else _PLAIN


def given_names(names: Iterable[str], form: Form) -> list[str]:
    """Those tensors of a checkpoint that a client is given, sorted."""
    names = list(names)
    changes = [name for name in names if form.change and name.startswith(forms.CHANGE)]
    return sorted(forms.of_kinds(names, form.given) + changes)


def cut_tensors(state: SlicedState, names: Iterable[str], rank: int) -> dict[str, Array]:
    """Tensors of an open state by name; of factors the first ``rank`` components."""
    return {name: _cut(name, files.single(state, name), rank) for name in names}


def update_shapes(ground: Ground, form: Form, rank: int, shapes: Mapping[str, Shape]) -> dict[str, Shape]:
    """Shapes of a client's update by name; ``shapes`` are those of the checkpoint that it trains from."""
    others: Kinds = form.trained - {"A", "B"}
    found = {name: shapes[name] for name in forms.of_kinds(shapes, others)}
    for layer, (d, k) in ground.layers.items():
        if "A" in form.trained:
            found[layer + forms.A] = (rank, k)
        if "B" in form.trained:
            found[layer + forms.B] = (d, rank)
    return dict(sorted(found.items()))


def layout_of(shapes: Mapping[str, Shape]) -> Layout:
    """The layout of a state of float32 with these shapes."""
    return Layout(tuple(Tensor(name, "F32", shapes[name]) for name in sorted(shapes)))


def _cut(name: str, values: Array, rank: int) -> Array:
    kind = forms.kind_of(name)
    return values[:rank] if kind == "A" else values[:, :rank] if kind == "B" else values


def _file(what: str, rank: int) -> str:
    return f"{what}-rank-{rank}.safetensors"
