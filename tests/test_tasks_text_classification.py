"""Texts become token ids, once; a folder whose tokenizer cannot read them is refused in one sentence."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from encoders import ARCHITECTURES, write_encoder

from harness.errors import UsageError
from harness.learning.data.encode import joined, write_shard
from harness.learning.data.sources import EMBEDDED, Split
from harness.learning.tasks.text_classification import encode

ENCODER = EMBEDDED / "encoder"


def refusal(model: Path, cache: Path, max_length: int = 16) -> str:
    with pytest.raises(UsageError) as caught:
        encode(Split(["ba be", "bi"], [0, 1]), model, max_length, cache)
    message = str(caught.value)
    assert "\n" not in message
    return message


def copied(folder: Path, *names: str) -> Path:
    """A model folder with these files of the embedded encoder."""
    folder.mkdir()
    for name in names:
        shutil.copy(ENCODER / name, folder)
    return folder


def test_texts_are_framed_cut_and_an_empty_one_is_special_tokens_alone(tmp_path: Path) -> None:
    encoded = encode(Split(["ba be bi bo bu", "ba", "", "ba nonsense"], [0, 1, 0, 1]), ENCODER, 5, tmp_path)
    begin, end, unknown = 0, 2, 3
    ba = encoded.sample(1)[1]
    assert encoded.sample(0).tolist()[0] == begin
    assert encoded.sample(0).tolist()[-1] == end
    assert len(encoded.sample(0)) == 5
    assert encoded.sample(1).tolist() == [begin, ba, end]
    assert encoded.sample(2).tolist() == [begin, end]
    assert encoded.sample(3).tolist() == [begin, ba, unknown, end]
    assert encoded.labels.tolist() == [0, 1, 0, 1]


def test_texts_without_words_are_encoded(tmp_path: Path) -> None:
    assert encode(Split(["", " "], [0, 1]), ENCODER, 16, tmp_path).input_ids.tolist() == [0, 2, 0, 2]


def test_more_texts_than_a_batch_stay_in_order(tmp_path: Path) -> None:
    texts = ["ba be", "bi"] * 600
    encoded = encode(Split(texts, [0] * len(texts)), ENCODER, 16, tmp_path)
    assert [len(encoded.sample(place)) for place in range(1_200)] == [4, 3] * 600


def test_what_was_encoded_once_is_read_from_the_cache(tmp_path: Path) -> None:
    split = Split(["ba be"], [0])
    first = encode(split, ENCODER, 16, tmp_path)
    (kept,) = tmp_path.iterdir()
    write_shard(joined([[9, 9]], [0]), kept)
    assert encode(split, ENCODER, 16, tmp_path).input_ids.tolist() == [9, 9]
    assert encode(split, ENCODER, 8, tmp_path).input_ids.tolist() == first.input_ids.tolist()


def test_another_tokenizer_encodes_anew(tmp_path: Path) -> None:
    split, model = Split(["ba be"], [0]), copied(tmp_path / "model", *NAMES)
    first = encode(split, model, 16, tmp_path / "cache")
    tokenizer = json.loads((model / "tokenizer.json").read_text())
    words = tokenizer["model"]["vocab"]
    words["ba"], words["be"] = words["be"], words["ba"]
    (model / "tokenizer.json").write_text(json.dumps(tokenizer))
    begin, ba, be, end = first.input_ids.tolist()
    assert encode(split, model, 16, tmp_path / "cache").input_ids.tolist() == [begin, be, ba, end]


NAMES = ("config.json", "tokenizer.json", "tokenizer_config.json")


def test_a_length_beyond_the_models_positions_is_one_sentence(tmp_path: Path) -> None:
    assert refusal(ENCODER, tmp_path, max_length=900) == (
        f"train.max_length is 900, but the model in {ENCODER} reads at most 64 tokens: give at most that"
    )


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_folder_without_a_tokenizer_is_one_sentence(tmp_path: Path, architecture: str) -> None:
    model = write_encoder(tmp_path / "model", architecture)
    assert refusal(model, tmp_path / "cache") == (
        f"model folder {model} has no tokenizer that can be read (it knows none of the words): "
        "put tokenizer.json and tokenizer_config.json beside its config.json"
    )
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("missing", ["tokenizer.json", "tokenizer_config.json"])
def test_half_a_tokenizer_is_one_sentence(tmp_path: Path, missing: str) -> None:
    model = copied(tmp_path / "model", *(name for name in NAMES if name != missing))
    assert f"model folder {model} has no tokenizer that can be read (" in refusal(model, tmp_path / "cache")


def test_a_broken_tokenizer_is_one_sentence(tmp_path: Path) -> None:
    model = copied(tmp_path / "model", *NAMES)
    (model / "tokenizer.json").write_text("{")
    assert f"model folder {model} has no tokenizer that can be read (" in refusal(model, tmp_path / "cache")
