"""Data sets and pretrained models in miniature: made files of the right names and forms, for tests that read them."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet as parquet

from harness.learning.data.mrqa import SOURCES as MRQA_SOURCES
from harness.learning.data.ploner import SOURCES as PLONER_SOURCES
from harness.library import profiles_root

ENCODER = Path(__file__).parent.parent / "harness" / "embedded" / "encoder"
ROWS = 64
WORDS = ("ruse", "wugu", "noda", "soxo", "reho", "sije", "nave", "weha")


def write_datasets(folder: Path) -> Path:
    """A file or folder for each data set of the profiles that has a local form; returns ``folder``."""
    labels = _labels(4)
    texts = [_text(row) for row in range(ROWS)]
    columns: dict[str, dict[str, list[Any]]] = {
        "20newsgroups": {"text": texts, "label": labels},
        "semeval2010_task8": {"text": texts, "label": labels},
        "sst2": {"text": texts, "label": _labels(2)},
        "mnli": {"premise": texts, "hypothesis": texts[::-1], "label": _labels(3)},
        "wnut2017": {"tokens": [text.split() for text in texts], "tags": [_tags(row) for row in range(ROWS)]},
        "squad_v1.1": _questions(texts),
    }
    splits = {"sst2": "validation", "mnli": "validation_matched", "squad_v1.1": "dev"}
    for name, table in columns.items():
        for split in ("train", splits.get(name, "test")):
            parquet.write_table(pyarrow.table(table), folder / f"{name}_{split}.parquet")
    parquet.write_table(pyarrow.table(columns["squad_v1.1"]), folder / "squad_v1.1_train_subset.parquet")
    _write_ploner(folder / "ploner", texts)
    _write_mrqa(folder / "mrqa", texts)
    return folder


def write_models(folder: Path) -> Path:
    """The embedded encoder under the name of each model's folder; returns ``folder``."""
    for path in (profiles_root() / "models").glob("*.yaml"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("folder: "):
                (folder / line.removeprefix("folder: ")).symlink_to(ENCODER, target_is_directory=True)
    return folder


def _labels(count: int) -> list[str]:
    return [f"label {row % count}" for row in range(ROWS)]


def _text(row: int) -> str:
    return " ".join(random.Random(row).choices(WORDS, k=11))


def _tags(row: int) -> list[str]:
    kind = ("person", "location", "group")[row % 3]
    return [f"B-{kind}", f"I-{kind}", *["O"] * 9]


def _questions(texts: list[str]) -> dict[str, list[Any]]:
    answers = [text.split()[2] for text in texts]
    return {
        "id": [str(row) for row, _ in enumerate(texts)],
        "context": texts,
        "question": [f"{text.split()[1]} {text.split()[-1]}" for text in texts],
        "answer_starts": [[text.index(answer)] for text, answer in zip(texts, answers, strict=True)],
        "answer_texts": [[answer] for answer in answers],
    }


def _write_ploner(folder: Path, texts: list[str]) -> None:
    folder.mkdir()
    for source in PLONER_SOURCES:
        sentences = []
        for row, text in enumerate(texts[:16]):
            kind, (first, *others) = ("PER", "LOC", "ORG")[row % 3], text.split()
            sentences.append("\n".join([f"{first} B-{kind}", *(f"{word} O" for word in others)]) + "\n")
        (folder / f"{source}.conll").write_text("\n".join(sentences), encoding="utf-8")


def _write_mrqa(folder: Path, texts: list[str]) -> None:
    folder.mkdir()
    for source in MRQA_SOURCES:
        lines = [json.dumps({"header": {"dataset": source, "mrqa_split": "train"}})]
        for row, text in enumerate(texts[:16]):
            answer = text.split()[2]
            first = text.index(answer)
            span = [first, first + len(answer) - 1]
            found = [{"text": answer, "char_spans": [span], "token_spans": []}]
            asked = {"qid": f"{source} {row}", "question": "what", "answers": [answer], "detected_answers": found}
            lines.append(json.dumps({"id": "", "context": text, "context_tokens": [], "qas": [asked]}))
        (folder / f"{source}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
