"""The tokenizer of a model folder, as all tasks use it: pieces of text to rows of tokens that know their places."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness.errors import UsageError
from harness.learning.data.model_source import TOKENIZER_PATTERNS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from tokenizers import Encoding, Tokenizer
    from transformers import PreTrainedTokenizerBase

WHOLE = ("tokenizer.json", "tokenizer_config.json")
"""The files of a tokenizer that can be relied on: what it does not know is in the texts."""


class TextTokenizer:
    """The tokenizer in ``folder``, for rows of at most ``max_length`` tokens, special ones included.

    ``backend`` is that of the tokenizers library, without truncation and padding. Its Encodings hold ``ids``,
    ``type_ids``, ``offsets`` (characters), ``word_ids`` and ``sequence_ids`` (of a single text: 0, None a special
    token); ``truncate(length, stride)`` makes windows, the later ones in ``overflowing``. With ``words`` it is
    for texts that are split already: each word then is read as if a space stood before it, as byte-level vocabularies
    need.

    Raises:
        UsageError: the folder has no tokenizer that can be read, or its model has fewer positions than ``max_length``.
    """

    def __init__(self, folder: Path, max_length: int, words: bool = False) -> None:
        loaded = _loaded(folder, words)
        if max_length > loaded.model_max_length:
            raise too_long(max_length, folder, loaded.model_max_length)
        self.folder = folder
        self.max_length = max_length
        self.backend: Tokenizer = loaded.backend_tokenizer
        self.backend.no_truncation()
        self.backend.no_padding()
        self._special_ids = loaded.all_special_ids
        self._cut_side = loaded.truncation_side
        self._before_word = " " if words and _wants_a_space(self.backend) else ""

    def room(self, pair: bool = False) -> int:
        """Tokens of a row that are left for the text, or for both texts of a pair."""
        return self.max_length - int(self.backend.num_special_tokens_to_add(pair))

    def cut(self, texts: Sequence[str | tuple[str, str]]) -> list[Encoding]:
        """Texts or pairs of texts as rows, without ``offsets``; one that is too long is cut.

        Of a pair the longer text is cut, then both: transformers' ``longest_first``.
        """
        self.backend.enable_truncation(self.max_length, strategy="longest_first", direction=self._cut_side)
        try:
            return list(self.backend.encode_batch_fast(list(texts)))
        finally:
            self.backend.no_truncation()

    def split(self, sentences: Sequence[Sequence[str]]) -> list[Encoding]:
        """Texts that are split into words already, whole and without special tokens; see :meth:`framed`.

        The ``word_ids`` of a word that the vocabulary drops, an empty or a zero-width one, are missing.
        """
        spaced = [[self._spaced(word) for word in words] for words in sentences]
        return list(self.backend.encode_batch(spaced, is_pretokenized=True, add_special_tokens=False))

    def framed(self, first: Encoding, second: Encoding | None = None) -> Encoding:
        """One or two pieces, encoded without special tokens, as a row with them; of two, ids and types alone hold."""
        return self.backend.post_process(first, second, add_special_tokens=True)

    def check_knows(self, input_ids: Sequence[int] | NDArray[np.int32], some_text: bool) -> None:
        """Check that what was encoded, if there was ``some_text`` in it, is more than special tokens.

        Raises:
            UsageError: it is not: the texts are in no language of the model's, or its folder has no vocabulary, of
                which transformers makes a tokenizer that knows no word.
        """
        if some_text and np.isin(np.asarray(input_ids), self._special_ids).all():
            if all((self.folder / name).is_file() for name in WHOLE):
                raise UsageError(
                    f"the tokenizer of model folder {self.folder} knows none of the words of the texts; choose a model "
                    "that was pretrained on texts like these"
                )
            raise _no_tokenizer(self.folder, "it knows none of the words")

    def _spaced(self, word: str) -> str:
        return word if not word or word.startswith(" ") else self._before_word + word


def too_long(max_length: int, folder: Path, positions: int) -> UsageError:
    """The error of a model with fewer positions than a row has tokens."""
    return UsageError(
        f"train.max_length is {max_length}, but the model in {folder} reads at most {positions} tokens: "
        "give at most that"
    )


def tokenizer_identity(folder: Path) -> str:
    """SHA-256, hex, of all files that a folder's tokenizer depends on."""
    digest = hashlib.sha256()
    for path in sorted({path for pattern in ("config.json", *TOKENIZER_PATTERNS) for path in folder.glob(pattern)}):
        if path.is_file():
            digest.update(f"{path.name}:{hashlib.sha256(path.read_bytes()).hexdigest()};".encode())
    return digest.hexdigest()


def _loaded(folder: Path, words: bool) -> PreTrainedTokenizerBase:
    from transformers import AutoTokenizer

    extra = {"add_prefix_space": True} if words else {}
    try:
        loaded: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            str(folder), local_files_only=True, trust_remote_code=False, **extra
        )
    except (OSError, ValueError, KeyError, ImportError) as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise _no_tokenizer(folder, reason[0]) from error
    if not loaded.is_fast:
        raise _no_tokenizer(folder, "it does not tell where its tokens stand in a text")
    return loaded


def _wants_a_space(backend: Tokenizer) -> bool:
    """Whether the vocabulary knows a word within a text by the space before it, and does not think of one itself.

    Classes of transformers that take a tokenizer.json as it is do not heed ``add_prefix_space`` (ModernBERT's, say).
    """
    splitter = backend.pre_tokenizer
    if splitter is None:
        return False
    alone, spaced = (splitter.pre_tokenize_str(text)[0][0] for text in ("a", " a"))
    return bool(alone != spaced)


def _no_tokenizer(folder: Path, reason: str) -> UsageError:
    return UsageError(
        f"model folder {folder} has no tokenizer that can be read ({reason}): "
        "put tokenizer.json and tokenizer_config.json beside its config.json"
    )
