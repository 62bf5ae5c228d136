"""What the package brings along is what its manifest says, and what its seeds give."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
import pytest
import torch
from safetensors.torch import load_file

from harness.learning.data.corpus import TOPICS, Corpus, CorpusPlan
from harness.learning.data.corpus_entities import TYPES, EntityPlan
from harness.learning.data.corpus_questions import QuestionPlan
from harness.learning.data.embedded import (
    FIRST_STEPS,
    SPLITS,
    THREADS,
    rebuild,
    rows_sha256,
    write_corpora,
    write_tokenizer,
)
from harness.learning.data.pretrain import PretrainPlan, pretrain
from harness.learning.data.sources import EMBEDDED

MANIFEST = json.loads((EMBEDDED / "MANIFEST.json").read_text())
MOST_BYTES = 4_000_000


@pytest.fixture
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def facts(folder: Path) -> dict[str, dict[str, object]]:
    """Size and hash of every file but the manifest, as the manifest names them."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "MANIFEST.json"]
    return {
        str(path.relative_to(folder)): {
            "size_bytes": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in files
    }


def columns(name: str, split: str) -> dict[str, list[Any]]:
    """What a parquet file of the package holds."""
    return dict(parquet.read_table(EMBEDDED / f"{name}_{split}.parquet").to_pydict())


def test_the_manifest_names_every_file_with_its_size_and_hash() -> None:
    assert facts(EMBEDDED) == MANIFEST["files"]


def test_all_of_it_is_at_most_4_megabytes() -> None:
    assert sum(path.stat().st_size for path in EMBEDDED.rglob("*") if path.is_file()) <= MOST_BYTES


def told(plan: EntityPlan | QuestionPlan) -> dict[str, Any]:
    """A plan as JSON gives it back."""
    return dict(json.loads(json.dumps(asdict(plan))))


def test_the_manifest_tells_the_plans_it_was_made_by() -> None:
    assert asdict(CorpusPlan()).items() <= MANIFEST["corpus"].items()
    assert told(EntityPlan()).items() <= MANIFEST["entities"].items()
    assert told(QuestionPlan()).items() <= MANIFEST["questions"].items()
    assert asdict(PretrainPlan()).items() <= MANIFEST["pretraining"].items()
    assert MANIFEST["pretraining"]["threads"] == THREADS


@pytest.mark.parametrize(("name", "count"), [("train", 4_000), ("test", 1_200)])
def test_a_split_has_as_many_texts_as_it_says_on_all_twelve_topics(name: str, count: int) -> None:
    texts, labels = columns("topics", name).values()
    assert len(texts) == len(labels) == count
    assert sorted(set(labels)) == sorted(TOPICS)
    assert len(TOPICS) == MANIFEST["corpus"]["topics"] == 12
    assert min(labels.count(topic) for topic in TOPICS) > 0.7 * count / 12
    assert {len(text.split(" ")) for text in texts} == {32}


@pytest.mark.parametrize(("name", "count"), [("train", 3_000), ("test", 800)])
def test_the_entities_are_words_and_tags_of_four_types(name: str, count: int) -> None:
    its = columns("entities", name)
    assert list(its) == ["tokens", "tags"]
    assert [len(words) for words in its["tokens"]] == [len(tags) for tags in its["tags"]]
    assert len(its["tokens"]) == count
    tags = {tag for tags in its["tags"] for tag in tags}
    assert tags == {"O"} | {f"{part}-{type_}" for part in "BI" for type_ in TYPES}


@pytest.mark.parametrize(("name", "count"), [("train", 3_000), ("test", 600)])
def test_the_questions_have_answers_that_stand_in_their_contexts(name: str, count: int) -> None:
    its = columns("questions", name)
    assert list(its) == ["id", "context", "question", "answer_starts", "answer_texts"]
    assert len(set(its["id"])) == count
    for context, starts, texts in zip(its["context"], its["answer_starts"], its["answer_texts"], strict=True):
        assert [context[start : start + len(text)] for start, text in zip(starts, texts, strict=True)] == texts


@pytest.mark.parametrize(("name", "column"), [("topics", "text"), ("entities", "tokens"), ("questions", "context")])
def test_no_test_row_is_trained_on(name: str, column: str) -> None:
    train, test = ({str(value) for value in columns(name, split)[column]} for split in SPLITS)
    assert not train & test


def test_the_corpora_follow_from_their_seeds(tmp_path: Path) -> None:
    facts = write_corpora(Corpus(CorpusPlan()), tmp_path, lambda line: None)
    for key, name in (("corpus", "topics"), ("entities", "entities"), ("questions", "questions")):
        assert json.loads(json.dumps(facts[key])) == MANIFEST[key]
        for split in SPLITS:
            kept, made = (folder / f"{name}_{split}.parquet" for folder in (EMBEDDED, tmp_path))
            assert rows_sha256(columns(name, split)) == MANIFEST[key]["rows_sha256"][split]
            if parquet.read_metadata(made).created_by == parquet.read_metadata(kept).created_by:
                # Another version of pyarrow may write the same rows as other bytes.
                assert made.read_bytes() == kept.read_bytes()


def test_the_tokenizer_follows_from_the_corpus(tmp_path: Path) -> None:
    write_tokenizer(Corpus(CorpusPlan()), PretrainPlan(), tmp_path)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        assert (tmp_path / name).read_bytes() == (EMBEDDED / "encoder" / name).read_bytes()


def test_the_tokenizer_frames_texts_and_pairs_as_roberta_does() -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(EMBEDDED / "encoder"), local_files_only=True)
    one, two = Corpus(CorpusPlan()).words[:2]
    assert tokenizer.convert_ids_to_tokens(tokenizer(one)["input_ids"]) == ["<s>", one, "</s>"]
    pair = tokenizer(one, two, return_token_type_ids=True)
    assert tokenizer.convert_ids_to_tokens(pair["input_ids"]) == ["<s>", one, "</s>", "</s>", two, "</s>"]
    assert set(pair["token_type_ids"]) == {0}


def test_the_encoder_is_two_layers_of_width_128_in_float16() -> None:
    config = json.loads((EMBEDDED / "encoder" / "config.json").read_text())
    weights = load_file(EMBEDDED / "encoder" / "model.safetensors")
    assert (config["model_type"], config["num_hidden_layers"], config["hidden_size"]) == ("roberta", 2, 128)
    assert weights["embeddings.word_embeddings.weight"].shape == (505, 128)
    assert {tensor.dtype for tensor in weights.values()} == {torch.float16}
    assert all(torch.isfinite(tensor).all() for tensor in weights.values())


@pytest.mark.usefixtures("one_thread")
def test_the_pretraining_begins_as_the_manifest_says() -> None:
    _, losses = pretrain(PretrainPlan(), CorpusPlan(), FIRST_STEPS, lambda step, loss: None)
    assert losses == pytest.approx(MANIFEST["pretraining"]["first_losses"], rel=1e-5)


@pytest.mark.usefixtures("one_thread")
def test_a_rebuild_writes_all_files_and_a_manifest_of_them(tmp_path: Path) -> None:
    said: list[str] = []
    rebuild(tmp_path / "out", said.append, steps=1)
    manifest = json.loads((tmp_path / "out" / "MANIFEST.json").read_text())
    assert manifest["files"] == facts(tmp_path / "out")
    assert manifest["files"].keys() == MANIFEST["files"].keys()
    assert [manifest[key] == MANIFEST[key] for key in ("corpus", "entities", "questions")] == [True] * 3
    sizes = {name: file["size_bytes"] for name, file in manifest["files"].items() if name.startswith("encoder/")}
    assert sizes == {name: MANIFEST["files"][name]["size_bytes"] for name in sizes}
    assert said[:3] == [
        "wrote topics: 4,000 training and 1,200 test rows",
        "wrote entities: 3,000 training and 800 test rows",
        "wrote questions: 3,000 training and 600 test rows",
    ]
