"""A pretrained model is found, converted, or refused in one sentence that names what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModel

from harness.errors import UsageError
from harness.learning.data.model_source import find_model
from harness.learning.data.sources import EMBEDDED
from harness.profiles import ModelProfile

SMALL = ModelProfile(name="small", folder="small")


def refusal(profile: ModelProfile, models: Path | None, workdir: Path) -> str:
    with pytest.raises(UsageError) as caught:
        find_model(profile, models, workdir)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_the_embedded_encoder_is_its_own_tokenizer_folder(tmp_path: Path) -> None:
    found = find_model(ModelProfile(name="embedded", embedded="encoder"), None, tmp_path)
    assert found.base == found.tokenizer == EMBEDDED / "encoder"


def test_a_folder_below_models_comes_before_the_hub(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    for name in ("config.json", "model.safetensors"):
        (small / name).write_bytes(b"{}")
    profile = ModelProfile(name="small", folder="small", hub="nobody/small")
    assert find_model(profile, tmp_path, tmp_path).base == small


def test_other_weights_are_converted_once_beside_the_work(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    (small / "config.json").write_text((EMBEDDED / "encoder" / "config.json").read_text())
    torch.save(load_file(EMBEDDED / "encoder" / "model.safetensors"), small / "pytorch_model.bin")
    found = find_model(SMALL, tmp_path, tmp_path / "work")
    assert (found.base, found.tokenizer) == (tmp_path / "work" / "base", small)
    ours, theirs = (
        AutoModel.from_pretrained(path, dtype=torch.float32).state_dict() for path in (found.base, EMBEDDED / "encoder")
    )
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs if "pooler" not in name)


def test_missing_folders_and_files_are_named(tmp_path: Path) -> None:
    assert f"models folder {tmp_path / 'nowhere'} does not exist" in refusal(SMALL, tmp_path / "nowhere", tmp_path)
    assert f"model folder {tmp_path / 'small'} does not exist" in refusal(SMALL, tmp_path, tmp_path)
    (tmp_path / "small").mkdir()
    assert "lacks config.json and model.safetensors" in refusal(SMALL, tmp_path, tmp_path)
    assert "give MODELS=folder" in refusal(SMALL, None, tmp_path)


OFFLINE = """
from pathlib import Path
from harness.errors import UsageError
from harness.learning.data.model_source import find_model
from harness.profiles import ModelProfile
try:
    find_model(ModelProfile(name="small", folder="small", hub="nobody/no-such-model"), None, Path("unused"))
except UsageError as error:
    print(error)
"""


def test_a_hub_that_cannot_be_reached_ends_in_one_sentence(tmp_path: Path) -> None:
    # In a process of its own: the hub's client reads once, at import, whether it may use the network.
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    ended = subprocess.run([sys.executable, "-c", OFFLINE], env=environment, capture_output=True, text=True, check=True)
    message = ended.stdout.strip()
    assert "\n" not in message
    assert "model 'nobody/no-such-model' could not be read from the Hugging Face hub" in message
    assert "give MODELS=folder (--models) that holds small/" in message
