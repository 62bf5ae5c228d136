"""Text classification: texts and pairs of texts as the model's tokenizer reads them, cut at a length; accuracy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from harness.learning.data.encode import Encoded, flat, flat_types
from harness.learning.data.examples import TextExample
from harness.learning.data.tokenizer import TextTokenizer
from harness.learning.tasks.scoring import Outputs

_BATCH = 500


def encode(examples: Sequence[TextExample], label_names: Sequence[str], tokenizer: TextTokenizer) -> Encoded:
    """Each text, or pair of texts, as one row with its label's place in ``label_names``.

    What does not fit into a row is cut, of a pair from the longer text first. An empty text is special tokens alone.
    """
    number = {name: place for place, name in enumerate(label_names)}
    rows: list[NDArray[np.int32]] = []
    types: list[NDArray[np.uint8]] = []
    for start in range(0, len(examples), _BATCH):
        for row in tokenizer.cut([_texts(example) for example in examples[start : start + _BATCH]]):
            rows.append(np.array(row.ids, dtype=np.int32))
            types.append(np.array(row.type_ids, dtype=np.uint8))
    labels = np.array([number[example.label] for example in examples], dtype=np.int64)
    input_ids, offsets = flat(rows)
    return Encoded(input_ids, offsets, labels=labels, types=flat_types(types))


def _texts(example: TextExample) -> str | tuple[str, str]:
    return example.text if example.pair is None else (example.text, example.pair)


class TextScorer:
    """Accuracy: the share of the rows whose highest output is that of their label."""

    def __init__(self, encoded: Encoded) -> None:
        if encoded.labels is None:
            raise ValueError("these rows have no labels")
        self._labels = encoded.labels
        self._predicted = np.full(len(encoded), -1, dtype=np.int64)

    def add(self, rows: Sequence[int], outputs: Outputs) -> None:
        """Outputs of some rows, [b, labels]."""
        self._predicted[np.asarray(rows, dtype=np.int64)] = outputs.argmax(axis=-1)

    def metrics(self) -> dict[str, float]:
        """``accuracy``."""
        return {"accuracy": float(np.mean(self._predicted == self._labels))}
