"""What the package brings along is what its manifest says, and what its seeds give."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pyarrow.parquet as parquet
import pytest
import torch
from safetensors.torch import load_file

from harness.learning.data.corpus import TOPICS, Corpus, CorpusPlan
from harness.learning.data.embedded import (
    FIRST_STEPS,
    SPLITS,
    THREADS,
    rebuild,
    rows_sha256,
    write_split,
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


def rows(path: Path) -> tuple[list[str], list[str]]:
    table = parquet.read_table(path)
    assert table.column_names == ["text", "label"]
    return table["text"].to_pylist(), table["label"].to_pylist()


def test_the_manifest_names_every_file_with_its_size_and_hash() -> None:
    assert facts(EMBEDDED) == MANIFEST["files"]


def test_all_of_it_is_at_most_4_megabytes() -> None:
    assert sum(path.stat().st_size for path in EMBEDDED.rglob("*") if path.is_file()) <= MOST_BYTES


def test_the_manifest_tells_the_plans_it_was_made_by() -> None:
    assert asdict(CorpusPlan()).items() <= MANIFEST["corpus"].items()
    assert asdict(PretrainPlan()).items() <= MANIFEST["pretraining"].items()
    assert MANIFEST["pretraining"]["threads"] == THREADS


@pytest.mark.parametrize(("name", "count"), [("train", 4_000), ("test", 1_200)])
def test_a_split_has_as_many_texts_as_it_says_on_all_twelve_topics(name: str, count: int) -> None:
    texts, labels = rows(EMBEDDED / f"topics_{name}.parquet")
    assert len(texts) == len(labels) == count
    assert sorted(set(labels)) == sorted(TOPICS)
    assert len(TOPICS) == MANIFEST["corpus"]["topics"] == 12
    assert min(labels.count(topic) for topic in TOPICS) > 0.7 * count / 12
    assert {len(text.split(" ")) for text in texts} == {32}


def test_no_test_text_is_trained_on() -> None:
    train, test = (set(rows(EMBEDDED / f"topics_{name}.parquet")[0]) for name in SPLITS)
    assert not train & test


@pytest.mark.parametrize("name", SPLITS)
def test_the_corpus_follows_from_its_seed(tmp_path: Path, name: str) -> None:
    kept, made = EMBEDDED / f"topics_{name}.parquet", tmp_path / f"topics_{name}.parquet"
    assert write_split(Corpus(CorpusPlan()), name, tmp_path) == MANIFEST["corpus"]["rows_sha256"][name]
    assert rows_sha256(*rows(kept)) == MANIFEST["corpus"]["rows_sha256"][name]
    if parquet.read_metadata(made).created_by == parquet.read_metadata(kept).created_by:
        # Another version of pyarrow may write the same rows as other bytes.
        assert made.read_bytes() == kept.read_bytes()


def test_the_tokenizer_follows_from_the_corpus(tmp_path: Path) -> None:
    write_tokenizer(Corpus(CorpusPlan()), PretrainPlan(), tmp_path)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        assert (tmp_path / name).read_bytes() == (EMBEDDED / "encoder" / name).read_bytes()


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
    assert manifest["corpus"] == MANIFEST["corpus"]
    sizes = {name: file["size_bytes"] for name, file in manifest["files"].items() if name.startswith("encoder/")}
    assert sizes == {name: MANIFEST["files"][name]["size_bytes"] for name in sizes}
    assert said[0] == "wrote 4,000 training and 1,200 test texts"
