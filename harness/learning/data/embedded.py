"""Rebuilds what the package brings along: small corpora and a small pretrained encoder, from fixed seeds.

``python -m harness.learning.data.embedded OUT`` (``make embedded``) writes a corpus for each task (``topics``,
``entities`` and ``questions``, each ``_train.parquet`` and ``_test.parquet``), ``encoder/`` (a tokenizer, a
configuration, float16 weights) and ``MANIFEST.json``, which names seeds, sizes, hashes and the first losses of the
pretraining. The corpora and the tokenizer are equal everywhere. The weights are equal with the same versions of torch
on the same kind of processor; elsewhere their first losses are close.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness.learning.data.corpus import TOPICS, Corpus, CorpusPlan
from harness.learning.data.corpus_entities import TYPES, EntityCorpus, EntityPlan
from harness.learning.data.corpus_questions import SUBJECTS, QuestionCorpus, QuestionPlan
from harness.learning.data.pretrain import SPECIAL_TOKENS, PretrainPlan, pretrain

SPLITS = ("train", "test")
THREADS = 2
FIRST_STEPS = 8

Say = Callable[[str], None]
Columns = dict[str, list[Any]]


def rebuild(out: Path, say: Say, steps: int | None = None) -> None:
    """Write corpora, encoder and manifest to ``out``; ``steps`` ends the pretraining early."""
    import torch

    corpus, plan = Corpus(CorpusPlan()), PretrainPlan()
    encoder = out / "encoder"
    encoder.mkdir(parents=True, exist_ok=True)
    facts = write_corpora(corpus, out, say)
    write_tokenizer(corpus, plan, encoder)
    torch.set_num_threads(THREADS)
    model, losses = pretrain(plan, corpus.plan, steps or plan.steps, _Progress(plan.steps, say))
    torch.nn.Module.to(model.roberta, torch.float16)
    model.roberta.save_pretrained(encoder)
    facts["pretraining"] = asdict(plan) | {
        "threads": THREADS,
        "torch": torch.__version__,
        "first_losses": losses[:FIRST_STEPS],
    }
    write_manifest(out, facts)
    say(f"wrote {sum(path.stat().st_size for path in _files(out)):,} bytes to {out}")


def write_corpora(corpus: Corpus, out: Path, say: Say) -> dict[str, Any]:
    """Write all corpora and tell what the manifest says of them: their plans, and the SHA-256 of their rows."""
    entities = EntityCorpus(EntityPlan(), corpus)
    questions = QuestionCorpus(QuestionPlan(), corpus)
    facts: dict[str, Any] = {
        "corpus": asdict(corpus.plan) | {"topics": len(TOPICS), "words": len(corpus.words)},
        "entities": asdict(entities.plan) | {"types": list(TYPES)},
        "questions": asdict(questions.plan) | {"subjects": SUBJECTS},
    }
    splits: dict[str, tuple[str, Callable[[str], Columns]]] = {
        "corpus": ("topics", lambda split: topic_columns(corpus, split)),
        "entities": ("entities", lambda split: entity_columns(entities, split)),
        "questions": ("questions", lambda split: question_columns(questions, split)),
    }
    for key, (name, columns_of) in splits.items():
        columns = {split: columns_of(split) for split in SPLITS}
        facts[key]["rows_sha256"] = {
            split: write_split(its, out / f"{name}_{split}.parquet") for split, its in columns.items()
        }
        train, test = (len(next(iter(columns[split].values()))) for split in SPLITS)
        say(f"wrote {name}: {train:,} training and {test:,} test rows")
    return facts


def topic_columns(corpus: Corpus, split: str) -> Columns:
    """A split for text classification."""
    texts, labels = corpus.split(split)
    return {"text": texts, "label": labels}


def entity_columns(corpus: EntityCorpus, split: str) -> Columns:
    """A split for token classification: words, and their IOB2 tags."""
    sentences = corpus.split(split)
    return {"tokens": [one.tokens for one in sentences], "tags": [one.tags for one in sentences]}


def question_columns(corpus: QuestionCorpus, split: str) -> Columns:
    """A split for question answering; ``answer_starts`` are characters of the context."""
    names = ("id", "context", "question", "answer_starts", "answer_texts")
    questions = corpus.split(split)
    return {name: [getattr(one, name) for one in questions] for name in names}


def write_split(columns: Columns, path: Path) -> str:
    """Write a split as parquet and return the SHA-256 of its rows.

    Parquet's own bytes differ between versions of pyarrow; the rows do not.
    """
    import pyarrow
    import pyarrow.parquet as parquet

    parquet.write_table(pyarrow.table(columns), path, compression="zstd", compression_level=19)
    return rows_sha256(columns)


def rows_sha256(columns: Columns) -> str:
    """SHA-256, hex, of rows as lines of their values, the last column first, with tabs between; lists have spaces."""
    rows = zip(*reversed(columns.values()), strict=True)
    lines = "".join("\t".join(_told(value) for value in row) + "\n" for row in rows)
    return hashlib.sha256(lines.encode()).hexdigest()


def _told(value: Any) -> str:
    """A value as text."""
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def write_manifest(out: Path, facts: dict[str, Any]) -> None:
    """Write the manifest: the given facts, and size and SHA-256 of each file."""
    files = {str(path.relative_to(out)): _file_facts(path) for path in _files(out)}
    (out / "MANIFEST.json").write_text(json.dumps(facts | {"files": files}, indent=2) + "\n", encoding="utf-8")


def write_tokenizer(corpus: Corpus, plan: PretrainPlan, folder: Path) -> None:
    """Write a tokenizer that knows each word of the corpus by its id and frames texts and pairs as RoBERTa does."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    vocabulary = {word: place for place, word in enumerate((*SPECIAL_TOKENS, *corpus.words))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.add_special_tokens(list(SPECIAL_TOKENS))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    frame = [(token, vocabulary[token]) for token in ("<s>", "</s>")]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=frame
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": plan.positions,
        "bos_token": "<s>",
        "pad_token": "<pad>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "mask_token": "<mask>",
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")


def _files(out: Path) -> list[Path]:
    """All that is written but the manifest."""
    return sorted(path for path in out.rglob("*") if path.is_file() and path.name != "MANIFEST.json")


def _file_facts(path: Path) -> dict[str, Any]:
    """Size and SHA-256 of a file."""
    return {"size_bytes": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


class _Progress:
    """Says the mean loss of every hundred steps."""

    def __init__(self, steps: int, say: Say) -> None:
        self._steps = steps
        self._say = say
        self._recent: list[float] = []

    def __call__(self, step: int, loss: float) -> None:
        self._recent.append(loss)
        if len(self._recent) == 100:
            self._say(f"step {step:,} of {self._steps:,}: loss {sum(self._recent) / 100:.4f}")
            self._recent.clear()


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="python -m harness.learning.data.embedded", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("out", type=Path, help="folder to write to, such as harness/embedded")
    rebuild(parser.parse_args(arguments).out, lambda line: print(line, file=sys.stderr, flush=True))
    return 0


if __name__ == "__main__":
    sys.exit(main())
