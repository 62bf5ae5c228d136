"""Tokenizer folders of the kinds that models come with, trained on a few sentences, for the tests of the tasks."""

from __future__ import annotations

import json
from pathlib import Path

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import BertConfig, DebertaV2Config, ModernBertConfig, PreTrainedConfig, RobertaConfig

from harness.learning.data.sources import EMBEDDED

EMBEDDED_ENCODER = EMBEDDED / "encoder"
SENTENCES = ["the cat don't sat on a mat", "Empire State Building in New York", "straße naïve 東京 🙂 hello"] * 20
SPECIAL = {"bos_token": "<s>", "eos_token": "</s>", "cls_token": "<s>", "sep_token": "</s>", "pad_token": "<pad>"}
SPECIAL |= {"unk_token": "<unk>", "mask_token": "<mask>"}
BERTS = {"cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]", "unk_token": "[UNK]", "mask_token": "[MASK]"}
POSITIONS = 128

KINDS = ("roberta", "modernbert", "split", "bert", "deberta-v2")
BYTE_LEVEL = KINDS[:3]


def write_tokenizer(folder: Path, kind: str) -> Path:
    """A folder with config.json, tokenizer.json and tokenizer_config.json.

    ``roberta``: byte-level BPE that transformers' RobertaTokenizer builds anew. ``modernbert``: the same, taken from
    its file as it is. ``split``: the same after a splitter of its own, as newer models have. ``bert``: word pieces;
    ``deberta-v2``: unigrams.
    """
    folder.mkdir(parents=True)
    special = SPECIAL if kind in BYTE_LEVEL else BERTS
    tokenizer = {"bert": _word_pieces, "deberta-v2": _unigrams}.get(kind, lambda: _bytes(kind))()
    tokenizer.save(str(folder / "tokenizer.json"))
    classes = {"roberta": "RobertaTokenizer", "bert": "BertTokenizer", "deberta-v2": "DebertaV2Tokenizer"}
    named = {"tokenizer_class": classes.get(kind, "PreTrainedTokenizerFast"), "model_max_length": POSITIONS}
    (folder / "tokenizer_config.json").write_text(json.dumps(special | named))
    _config(kind).save_pretrained(folder)
    return folder


def _config(kind: str) -> PreTrainedConfig:
    if kind == "bert":
        return BertConfig()
    if kind == "deberta-v2":
        return DebertaV2Config()
    return RobertaConfig() if kind == "roberta" else ModernBertConfig()


def _bytes(kind: str) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    whole = pre_tokenizers.ByteLevel(add_prefix_space=False)
    pieces = pre_tokenizers.Split(Regex(r"'t| ?\p{L}+| ?[^\s\p{L}]+|\s+"), "isolated")
    bare = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pieces, bare]) if kind == "split" else whole
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), True, False)
    return tokenizer


def _word_pieces() -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = list(BERTS.values())
    tokenizer.train_from_iterator(
        SENTENCES, trainers.WordPieceTrainer(vocab_size=80, special_tokens=special, show_progress=False)
    )
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 1), ("[CLS]", 0))
    return tokenizer


def _unigrams() -> Tokenizer:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    special = list(BERTS.values())
    trainer = trainers.UnigramTrainer(vocab_size=80, special_tokens=special, unk_token="[UNK]", show_progress=False)
    tokenizer.train_from_iterator(SENTENCES, trainer)
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 1), ("[CLS]", 0))
    return tokenizer
