"""Texts as points, by a pretrained encoder: the mean of its last layer over a text's tokens, at length 1."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PreTrainedModel

from harness.learning.data.model_source import Pretrained
from harness.learning.data.tokenizer import TextTokenizer
from harness.learning.models import build_model, pad_id_of

_TOKENS = 64
_BATCH = 64
_STEPS = 20  # of the progress that is told


def embed(texts: Sequence[str], model: Pretrained, report: Callable[[str], None]) -> NDArray[np.float32]:
    """Each text, cut at 64 tokens, as a row of length 1, [texts, width]; in float32, on CUDA where there is one.

    Raises:
        UsageError: the folder holds no encoder, or no tokenizer, that can be read.
    """
    encoder, rows = _encoder(model.base), _token_ids(texts, model.tokenizer)
    order = sorted(range(len(rows)), key=lambda index: -len(rows[index]))  # like lengths together: little padding
    points = np.zeros((len(rows), encoder.config.hidden_size), dtype=np.float32)
    done, told, tokens = 0, 0, sum(map(len, rows))
    for start in range(0, len(order), _BATCH):
        batch = order[start : start + _BATCH]
        points[batch] = _means([rows[index] for index in batch], encoder)
        done += sum(len(rows[index]) for index in batch)
        if _STEPS * done // tokens > told:
            told = _STEPS * done // tokens
            report(f"embedding questions: {100 * told // _STEPS} %")
    return points


def _encoder(base: Path) -> PreTrainedModel:
    """The encoder alone; the head it comes with is of the task that uses all of its last layer."""
    model = build_model(base, "token-classification", labels=1, head_seed=None)
    encoder = cast(PreTrainedModel, model.base_model)
    encoder.to("cuda" if torch.cuda.is_available() else "cpu")  # type: ignore[arg-type]  # wrapped by transformers
    return encoder


def _token_ids(texts: Sequence[str], folder: Path) -> list[list[int]]:
    """Token ids of each text, special tokens included."""
    tokenizer = TextTokenizer(folder, _TOKENS)
    rows = [row.ids for row in tokenizer.cut(texts)]
    tokenizer.check_knows([token for row in rows for token in row], any(text.strip() for text in texts))
    return rows


@torch.inference_mode()
def _means(rows: Sequence[list[int]], encoder: PreTrainedModel) -> NDArray[np.float32]:
    """Mean hidden states of rows that become one padded batch, at length 1, [rows, width]."""
    shape = (len(rows), max(map(len, rows)))
    ids = torch.full(shape, pad_id_of(encoder.config), dtype=torch.int64)
    mask = torch.zeros(shape, dtype=torch.int64)
    for place, row in enumerate(rows):
        ids[place, : len(row)] = torch.tensor(row)
        mask[place, : len(row)] = 1
    ids, mask = ids.to(encoder.device), mask.to(encoder.device)
    states = encoder(input_ids=ids, attention_mask=mask).last_hidden_state  # [rows, longest, width]
    weights = mask[:, :, None].to(states.dtype)
    sums = (states * weights).sum(dim=1)
    means: NDArray[np.float32] = torch.nn.functional.normalize(sums / weights.sum(dim=1), dim=1).cpu().numpy()
    return means
