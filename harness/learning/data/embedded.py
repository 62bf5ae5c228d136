"""Rebuilds what the package brings along: a small corpus and a small pretrained encoder, from fixed seeds.

``python -m harness.learning.data.embedded OUT`` (``make embedded``) writes ``topics_{train,test}.parquet``,
``encoder/`` (a tokenizer, a configuration, float16 weights) and ``MANIFEST.json``, which names seeds, sizes, hashes
and the first losses of the pretraining. The corpus and the tokenizer are equal everywhere. The weights are equal with
the same versions of torch on the same kind of processor; elsewhere their first losses are close.
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
from harness.learning.data.pretrain import SPECIAL_TOKENS, PretrainPlan, pretrain

SPLITS = ("train", "test")
THREADS = 2
FIRST_STEPS = 8

Say = Callable[[str], None]


def rebuild(out: Path, say: Say, steps: int | None = None) -> None:
    """Write corpus, encoder and manifest to ``out``; ``steps`` ends the pretraining early."""
    import torch

    corpus, plan = Corpus(CorpusPlan()), PretrainPlan()
    encoder = out / "encoder"
    encoder.mkdir(parents=True, exist_ok=True)
    rows = {name: write_split(corpus, name, out) for name in SPLITS}
    write_tokenizer(corpus, plan, encoder)
    say(f"wrote {corpus.plan.train_texts:,} training and {corpus.plan.test_texts:,} test texts")
    torch.set_num_threads(THREADS)
    model, losses = pretrain(plan, corpus.plan, steps or plan.steps, _Progress(plan.steps, say))
    torch.nn.Module.to(model.roberta, torch.float16)
    model.roberta.save_pretrained(encoder)
    manifest = {
        "corpus": asdict(corpus.plan) | {"topics": len(TOPICS), "words": len(corpus.words), "rows_sha256": rows},
        "pretraining": asdict(plan)
        | {"threads": THREADS, "torch": torch.__version__, "first_losses": losses[:FIRST_STEPS]},
        "files": {str(path.relative_to(out)): _file_facts(path) for path in _files(out)},
    }
    (out / "MANIFEST.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    say(f"wrote {sum(path.stat().st_size for path in _files(out)):,} bytes to {out}")


def write_split(corpus: Corpus, name: str, out: Path) -> str:
    """Write a split as parquet (text, label) and return the SHA-256 of its rows.

    Parquet's own bytes differ between versions of pyarrow; the rows do not.
    """
    import pyarrow
    import pyarrow.parquet as parquet

    texts, labels = corpus.split(name)
    table = pyarrow.table({"text": texts, "label": labels})
    parquet.write_table(table, out / f"topics_{name}.parquet", compression="zstd", compression_level=19)
    return rows_sha256(texts, labels)


def rows_sha256(texts: Sequence[str], labels: Sequence[str]) -> str:
    """SHA-256, hex, of rows as lines ``label<TAB>text``."""
    lines = "".join(f"{label}\t{text}\n" for text, label in zip(texts, labels, strict=True))
    return hashlib.sha256(lines.encode()).hexdigest()


def write_tokenizer(corpus: Corpus, plan: PretrainPlan, folder: Path) -> None:
    """Write a tokenizer that knows each word of the corpus by its id and frames a text with <s> and </s>."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    vocabulary = {word: place for place, word in enumerate((*SPECIAL_TOKENS, *corpus.words))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.add_special_tokens(list(SPECIAL_TOKENS))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    frame = [(token, vocabulary[token]) for token in ("<s>", "</s>")]
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=frame)
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
