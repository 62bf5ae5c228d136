"""Small tokenizers of the kinds that there are, for tests that look at where tokens stand in a text."""

from __future__ import annotations

from pathlib import Path

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

WORDS = [f"w{number}" for number in range(40)]
SPECIALS = {"<s>": 0, "</s>": 1, "<unk>": 2}


def words() -> Tokenizer:
    """A token for each word; two types, as BERT has them."""
    vocabulary = SPECIALS | {word: number for number, word in enumerate(WORDS, start=len(SPECIALS))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return typed(tokenizer)


def byte_level() -> Tokenizer:
    """Bytes, so that a character is several tokens; no types; spaces trimmed off the offsets, as RoBERTa has it."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        [" ".join(WORDS)] * 3,
        trainers.BpeTrainer(
            vocab_size=300, special_tokens=list(SPECIALS), initial_alphabet=alphabet, show_progress=False
        ),
    )
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 1), ("<s>", 0), add_prefix_space=False)
    return tokenizer


def metaspace() -> Tokenizer:
    """Pieces that hold the space before them, offsets included, as sentencepiece's do."""
    pieces = ["▁", *"▁".join(["", *WORDS]), *[f"▁w{digit}" for digit in range(10)]]
    scores = [(piece, -float(len(WORDS)) / len(piece)) for piece in dict.fromkeys(pieces)]
    tokenizer = Tokenizer(models.Unigram([*((special, 0.0) for special in SPECIALS), *scores], unk_id=2))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    return typed(tokenizer)


def accents_dropped() -> Tokenizer:
    """As :func:`words`, after BERT's normaliser."""
    tokenizer = words()
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    return tokenizer


def typed(tokenizer: Tokenizer) -> Tokenizer:
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B:1 </s>:1", special_tokens=list(SPECIALS.items())[:2]
    )
    return tokenizer


BUILDERS = {"words": words, "byte-level": byte_level, "metaspace": metaspace, "accents dropped": accents_dropped}
KINDS = tuple(BUILDERS)


def write_tokenizer(folder: Path, kind: str) -> Path:
    """A model folder with the tokenizer of one of ``KINDS`` alone."""
    loaded = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=BUILDERS[kind](), bos_token="<s>", eos_token="</s>", unk_token="<unk>", model_max_length=512
    )
    loaded.save_pretrained(folder)
    return folder
