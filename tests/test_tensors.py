"""States are written whole and in a fixed order; shards are checked and padded."""

from pathlib import Path

import pytest
import torch
from encoders import write_texts
from safetensors.torch import save_file

from harness.errors import BlobError
from harness.learning.tensors import collate, read_shard, read_state, write_state


def test_equal_states_give_equal_bytes(tmp_path: Path) -> None:
    a, b = torch.arange(6.0).reshape(2, 3), torch.ones(2, dtype=torch.float16)
    one = write_state(tmp_path / "one", {"a": a, "b": b})
    two = write_state(tmp_path / "two", {"b": b.float(), "a": a.T.contiguous().T})
    assert one == two
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    state = read_state(tmp_path / "one")
    assert torch.equal(state["a"], a)
    assert {tensor.dtype for tensor in state.values()} == {torch.float32}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"]


def test_a_file_of_other_bytes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").write_bytes(b"{}")
    with pytest.raises(BlobError, match="not a readable safetensors file"):
        read_state(tmp_path / "state")


def test_a_batch_is_padded_to_its_longest_text(tmp_path: Path) -> None:
    shard = read_shard(write_texts(tmp_path / "s", [[5, 6], [7, 8, 9, 10], [11, 12, 13]], [0, 1, 2]))
    input_ids, attention_mask, labels = collate(shard, [2, 0], pad_id=1)
    assert input_ids.tolist() == [[11, 12, 13], [5, 6, 1]]
    assert attention_mask.tolist() == [[1, 1, 1], [1, 1, 0]]
    assert labels.tolist() == [2, 0]


@pytest.mark.parametrize("offsets", [[0, 2, 5], [0, 2, 2, 3], [1, 2, 3], [0, 3]])
def test_offsets_that_do_not_fit_are_refused(tmp_path: Path, offsets: list[int]) -> None:
    labels = torch.zeros(max(2, len(offsets) - 1), dtype=torch.int64)
    tensors = {"input_ids": torch.ones(3, dtype=torch.int32), "offsets": torch.tensor(offsets), "labels": labels}
    save_file(tensors, tmp_path / "s")
    with pytest.raises(BlobError, match="do not fit together"):
        read_shard(tmp_path / "s")
