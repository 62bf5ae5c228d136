"""A safetensors file appears whole, or a full disk is told as a full disk."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from small_files import files_of

from harness.learning.writing import safetensors_written

STATE = {"weight": np.ones(50_000, dtype=np.float32)}


def test_a_file_appears_when_it_is_complete(tmp_path: Path) -> None:
    target = tmp_path / "state.safetensors"
    with safetensors_written(target) as partial:
        save_file(STATE, partial)
        assert not target.exists()
    assert load_file(target)["weight"].sum() == 50_000


def test_a_disk_that_is_full_is_an_error_of_the_system_and_leaves_nothing(tmp_path: Path) -> None:
    full = pytest.raises(OSError, match=r"state\.safetensors")
    with files_of(10_000), full as caught, safetensors_written(tmp_path / "state.safetensors") as partial:
        save_file(STATE, partial)
    assert caught.value.errno == errno.EFBIG
    assert list(tmp_path.iterdir()) == []


def test_what_is_wrong_with_the_tensors_stays_the_librarys_error(tmp_path: Path) -> None:
    with pytest.raises(SafetensorError, match="unknown"), safetensors_written(tmp_path / "state"):
        raise SafetensorError("unknown")
