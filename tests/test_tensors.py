"""States are written whole and in a fixed order."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from harness.errors import BlobError
from harness.learning.tensors import opened_state, read_state, write_state


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


def test_the_bytes_are_those_of_the_library(tmp_path: Path) -> None:
    state = {"b": torch.arange(6.0).reshape(2, 3), "a": torch.tensor(7.0), "é.A": torch.zeros(0, 3)}
    write_state(tmp_path / "here", state)
    save_file(state, tmp_path / "there")
    assert (tmp_path / "here").read_bytes() == (tmp_path / "there").read_bytes()


def test_a_file_of_other_bytes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").write_bytes(b"{}")
    with pytest.raises(BlobError, match="not a readable safetensors file"):
        read_state(tmp_path / "state")


def test_tensors_of_an_opened_state_are_read_one_by_one(tmp_path: Path) -> None:
    write_state(tmp_path / "state", {"b": torch.arange(6.0).reshape(2, 3), "a": torch.tensor(7.0)})
    with opened_state(tmp_path / "state") as tensors:
        assert list(tensors) == ["a", "b"]
        assert len(tensors) == 2
        assert torch.equal(tensors["b"], torch.arange(6.0).reshape(2, 3))
        assert tensors["a"].shape == ()
        with pytest.raises(KeyError):
            tensors["c"]


def test_a_state_that_is_none_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "state").write_bytes(b"no tensors")
    with pytest.raises(BlobError, match="is no safetensors file"), opened_state(tmp_path / "state"):
        pass
