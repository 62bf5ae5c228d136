"""Bytes up and down of every method, of files that were written, at RoBERTa-base's shapes.

24 adapted matrices of 768 x 768, rank 32, ten clients, float32 (arXiv 2404.18848, table 9: 1,179,648 parameters). The
head and the files' headers are left out: what is counted is the adapters' share.
"""

import math
from pathlib import Path

import numpy as np
import pytest
from adapted_rounds import HEAD, Rounds, made_ground

from harness.learning import forms
from harness.learning.aggregation import files
from harness.learning.aggregation.base import Update
from harness.learning.outgoing import Outgoing
from harness.learning.slices import LENGTH_BYTES, SlicedState
from harness.profiles import Method

LAYERS = {
    f"roberta.encoder.layer.{i}.attention.self.{part}": (768, 768) for i in range(12) for part in ("query", "value")
}
FACTOR = 24 * 32 * 768 * 4
"""Bytes of all A, or all B: 2.36 MB. Both are the 4.72 MB of FedAvg."""
HEAD_BYTES = 4 * sum(math.prod(shape) for shape in HEAD.values())
TABLE = {
    "fedlr": (2, 2),
    "federa": (2, 2),
    "ffa": (1, 1),
    "fra": (2, 2),
    "flexlora": (2, 2),
    "flora": (2, 2 * 10),
    "fedex": (2, 2 * 11),
    "rolora": (1, 1),
    "fedsa": (1, 1),
    "fedsvd": (1, 2),
    "hetlora": (2, 2),
    "lora-fair": (2, 2),
    "central": (2, 2),
}
"""Up and down, in factors."""


def adapter_bytes(path: Path) -> int:
    """The size of a file, less its header and what of it is the head's."""
    with SlicedState(path) as state, path.open("rb") as file:
        header_bytes = LENGTH_BYTES + int.from_bytes(file.read(LENGTH_BYTES), "little")
        heads = sum(forms.kind_of(name.removeprefix(forms.CONTROL)) == "rest" for name in state.shapes)
    return path.stat().st_size - header_bytes - heads * HEAD_BYTES


def moved(given: Outgoing, update: Update) -> tuple[int, int]:
    """Up and down of a client that was in the round before; what stays with a client does not count."""
    kept, kept_update = (max(0, n - HEAD_BYTES) for n in (given.kept_bytes, given.kept_update_bytes))
    down = given.lean.path if given.lean else given.whole
    return adapter_bytes(update.path) - kept_update, adapter_bytes(down) - kept


def begun(folder: Path, method: Method, **settings: object) -> Rounds:
    ground = made_ground(folder, method, layers=LAYERS, clients=10, rank=32, alpha=32.0, **settings)
    return Rounds(ground, folder)


def zeros(rounds: Rounds, clients: int) -> list[Update]:
    """Updates that learned nothing, of the layout that is asked for: their size is what counts."""
    path = rounds.folder / "update"
    files.write(path, {one.name: np.zeros(one.shape, np.float32) for one in rounds.outgoing(0).update.tensors})
    return [Update(client, path, 1) for client in range(clients)]


@pytest.mark.parametrize("method", TABLE)
def test_a_round_moves_what_the_table_says(method: Method, tmp_path: Path) -> None:
    """The second round, so that there is a round before it. How many clients there are counts where stacks travel."""
    rounds, clients = begun(tmp_path, method), 10 if method in ("flora", "fedex") else 2
    rounds.close(zeros(rounds, clients))
    up, down = TABLE[method]
    assert moved(rounds.outgoing(0), zeros(rounds, 1)[0]) == (up * FACTOR, down * FACTOR)


def test_the_table_in_megabytes() -> None:
    assert [round(n * FACTOR / 1e6, 2) for n in (1, 2)] == [2.36, 4.72]
    assert [round(n * FACTOR / 1e6, 1) for n in (20, 22)] == [47.2, 51.9]


def test_fra_then_ffa_halves_both_ways_after_the_switch(tmp_path: Path) -> None:
    rounds = begun(tmp_path, "fra-ffa", switch_round=1)
    found = []
    for _ in range(3):
        updates = zeros(rounds, 2)
        found.append(moved(rounds.outgoing(0), updates[0]))
        rounds.close(updates)
    assert found == [(2 * FACTOR, 2 * FACTOR), (FACTOR, 2 * FACTOR), (FACTOR, FACTOR)]


def test_slora_moves_six_hundredths_of_the_weights_then_factors(tmp_path: Path) -> None:
    rounds = begun(tmp_path, "slora", switch_round=1)
    values = 24 * round(0.06 * 768 * 768) * 4
    assert round(values / 1e6, 1) == 3.4
    updates = zeros(rounds, 2)
    assert moved(rounds.outgoing(0), updates[0]) == (values, values)
    rounds.close(updates)
    updates = zeros(rounds, 2)
    assert moved(rounds.outgoing(0), updates[0]) == (2 * FACTOR, 2 * FACTOR)


@pytest.mark.parametrize("method", ["hetlora", "flexlora"])
def test_a_client_of_lower_rank_moves_its_share(method: Method, tmp_path: Path) -> None:
    rounds = begun(tmp_path, method, ranks=[32, 8])
    for client, rank in ((0, 32), (1, 8)):
        given, update = rounds.outgoing(client), rounds.updates([client])[0]
        assert moved(given, update) == (24 * rank * (768 + 768) * 4,) * 2


def test_scaffold_moves_twice_as_much(tmp_path: Path) -> None:
    rounds = begun(tmp_path, "fedlr", scaffold=True)
    rounds.close(zeros(rounds, 2))
    assert moved(rounds.outgoing(0), zeros(rounds, 1)[0]) == (4 * FACTOR, 4 * FACTOR)
