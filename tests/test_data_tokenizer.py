"""One tokenizer for all tasks: it frames, cuts and splits as transformers does, and says what it cannot read."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from encoders import ARCHITECTURES, MINILM, write_encoder
from tokenizers import Tokenizer
from transformers import AutoTokenizer
from vocabularies import BYTE_LEVEL, EMBEDDED_ENCODER, KINDS, write_tokenizer

from harness.errors import UsageError
from harness.learning.data.tokenizer import TextTokenizer, tokenizer_identity

NAMES = ("config.json", "tokenizer.json", "tokenizer_config.json")
NO_TOKENIZER = "put tokenizer.json and tokenizer_config.json beside its config.json"


@pytest.fixture(scope="module", params=[*KINDS, "embedded", "minilm"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Model folders with each kind of tokenizer."""
    if request.param == "minilm" and not MINILM.is_dir():
        pytest.skip("the shared MiniLM is not here")
    here = {"embedded": EMBEDDED_ENCODER, "minilm": MINILM}
    return here.get(request.param) or write_tokenizer(tmp_path_factory.mktemp("made") / request.param, request.param)


def copied(folder: Path, *names: str) -> Path:
    """A model folder with these files of the embedded encoder."""
    folder.mkdir()
    for name in names:
        shutil.copy(EMBEDDED_ENCODER / name, folder)
    return folder


def read_some(folder: Path, max_length: int) -> None:
    tokenizer = TextTokenizer(folder, max_length)
    tokenizer.check_knows([token for row in tokenizer.cut(["ba be", "bi"]) for token in row.ids], some_text=True)


def refusal(folder: Path, max_length: int = 16) -> str:
    with pytest.raises(UsageError) as caught:
        read_some(folder, max_length)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_pieces_framed_one_by_one_are_what_the_whole_text_is(folder: Path) -> None:
    tokenizer = TextTokenizer(folder, 16)
    first, second = (tokenizer.backend.encode(text, add_special_tokens=False) for text in ("the cat", "New York"))
    loaded = AutoTokenizer.from_pretrained(str(folder))
    assert tokenizer.framed(first).ids == loaded("the cat")["input_ids"]
    assert tokenizer.framed(first, second).ids == loaded("the cat", "New York")["input_ids"]


def test_the_room_is_what_special_tokens_leave(folder: Path) -> None:
    tokenizer = TextTokenizer(folder, 16)
    nothing = tokenizer.backend.encode("", add_special_tokens=False)
    assert tokenizer.room() == 16 - len(tokenizer.framed(nothing))
    assert tokenizer.room(pair=True) == 16 - len(tokenizer.framed(nothing, nothing))


def test_cut_rows_have_at_most_the_length_and_later_ones_are_whole(folder: Path) -> None:
    tokenizer = TextTokenizer(folder, 8)
    long, short = tokenizer.cut(["the cat sat on a mat in New York", "the"])
    assert len(long) == 8
    assert len(short) < 8  # without padding
    assert len(tokenizer.backend.encode("the cat sat on a mat in New York")) > 8


def test_a_text_is_cut_at_the_side_that_its_tokenizer_names(tmp_path: Path) -> None:
    model = copied(tmp_path / "model", *NAMES)
    config = json.loads((model / "tokenizer_config.json").read_text()) | {"truncation_side": "left"}
    (model / "tokenizer_config.json").write_text(json.dumps(config))
    (row,) = TextTokenizer(model, 4).cut(["ba be bi bo"])
    assert row.ids == AutoTokenizer.from_pretrained(str(model))("bi bo")["input_ids"]


def test_a_length_and_padding_that_a_tokenizer_brings_along_are_left_out(tmp_path: Path) -> None:
    model = copied(tmp_path / "model", *NAMES)
    own = Tokenizer.from_file(str(model / "tokenizer.json"))
    own.enable_truncation(6)
    own.enable_padding(length=6)
    own.save(str(model / "tokenizer.json"))
    tokenizer = TextTokenizer(model, 16, words=True)
    assert [len(piece) for piece in tokenizer.split([["ba"] * 30, ["ba"]])] == [30, 1]
    assert [len(row) for row in tokenizer.cut(["ba be bi bo bu ba be bi", "ba"])] == [10, 3]


def test_words_are_read_as_transformers_reads_them(folder: Path) -> None:
    words = ["hello", "don't", "</s>", "State", "straße", "東京", "🙂", "naïve", "x"]
    (split,) = TextTokenizer(folder, 64, words=True).split([words])
    loaded = AutoTokenizer.from_pretrained(str(folder), add_prefix_space=True)
    if Path(folder).name in ("modernbert", "split"):  # transformers does not heed add_prefix_space there
        expected = loaded(" " + " ".join(words), add_special_tokens=False)["input_ids"]
    else:
        expected = loaded(words, is_split_into_words=True, add_special_tokens=False)["input_ids"]
    assert split.ids == expected
    assert sorted(set(split.word_ids)) == list(range(len(words)))


@pytest.mark.parametrize("kind", BYTE_LEVEL)
def test_the_first_word_has_a_space_before_it_too(tmp_path: Path, kind: str) -> None:
    (split,) = TextTokenizer(write_tokenizer(tmp_path / kind, kind), 64, words=True).split([["State", "State", ""]])
    firsts = [split.tokens[split.word_ids.index(word)] for word in (0, 1)]
    assert firsts[0] == firsts[1]
    assert firsts[0].startswith("Ġ")
    assert set(split.word_ids) == {0, 1}  # an empty word does not become a space


def test_words_alone_get_the_space_and_texts_do_not(tmp_path: Path) -> None:
    model = write_tokenizer(tmp_path / "model", "roberta")
    (row,) = TextTokenizer(model, 16).cut(["State"])
    assert row.ids == AutoTokenizer.from_pretrained(str(model))("State")["input_ids"]
    (split,) = TextTokenizer(model, 16, words=True).split([["State"]])
    assert split.ids != row.ids[1:-1]
    (bare,) = TextTokenizer(model, 16).split([["State"]])
    assert bare.ids == row.ids[1:-1]


def test_a_word_that_the_vocabulary_drops_has_no_token_and_others_keep_their_numbers(tmp_path: Path) -> None:
    tokenizer = TextTokenizer(write_tokenizer(tmp_path / "model", "bert"), 16, words=True)
    split, empty = tokenizer.split([["the", "", "\u200b", "\x07", "cat"], []])
    assert set(split.word_ids) == {0, 4}
    assert len(tokenizer.framed(empty)) == 2


def test_a_length_beyond_the_models_positions_is_one_sentence() -> None:
    assert refusal(EMBEDDED_ENCODER, max_length=900) == (
        f"train.max_length is 900, but the model in {EMBEDDED_ENCODER} reads at most 64 tokens: give at most that"
    )


@pytest.mark.parametrize("missing", ["tokenizer.json", "tokenizer_config.json"])
def test_half_a_tokenizer_is_one_sentence(tmp_path: Path, missing: str) -> None:
    model = copied(tmp_path / "model", *(name for name in NAMES if name != missing))
    message = refusal(model)
    assert message.startswith(f"model folder {model} has no tokenizer that can be read (")
    assert message.endswith(NO_TOKENIZER)


def test_a_broken_tokenizer_is_one_sentence(tmp_path: Path) -> None:
    model = copied(tmp_path / "model", *NAMES)
    (model / "tokenizer.json").write_text("{")
    assert f"model folder {model} has no tokenizer that can be read (" in refusal(model)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_folder_without_a_tokenizer_knows_no_word(tmp_path: Path, architecture: str) -> None:
    model = write_encoder(tmp_path / "model", architecture)
    assert refusal(model) == (
        f"model folder {model} has no tokenizer that can be read (it knows none of the words): {NO_TOKENIZER}"
    )


def test_texts_in_another_language_are_not_blamed_on_the_folder() -> None:
    tokenizer = TextTokenizer(EMBEDDED_ENCODER, 16)
    (strange,) = tokenizer.cut(["\u4f60\u597d \u4e16\u754c"])
    with pytest.raises(UsageError, match="knows none of the words of the texts; choose a model"):
        tokenizer.check_knows(strange.ids, some_text=True)


def test_texts_without_words_need_not_be_known() -> None:
    tokenizer = TextTokenizer(EMBEDDED_ENCODER, 16)
    empty, some = tokenizer.cut([" ", "ba"])
    tokenizer.check_knows(empty.ids, some_text=False)
    tokenizer.check_knows(some.ids, some_text=True)


def test_the_identity_changes_with_a_tokenizers_files_alone(tmp_path: Path) -> None:
    one, other = (copied(tmp_path / name, *NAMES) for name in ("one", "other"))
    (one / "model.safetensors").write_bytes(b"weights")
    assert tokenizer_identity(one) == tokenizer_identity(other)
    (other / "tokenizer_config.json").write_text("{}")
    assert tokenizer_identity(one) != tokenizer_identity(other)
