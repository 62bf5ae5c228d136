"""Pretraining of the embedded encoder: a two-layer RoBERTa as a masked language model of the embedded corpus.

At this size the loss first stays on a plateau, the words' frequencies, until the topics show. Dropout, an lr of 1.5e-3
and the noise of the embedded texts themselves each keep it there (no way out in 2,000 steps, measured), so the encoder
is pretrained without dropout, with a warm-up, on texts of the same words and topics with fewer words that say nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import RobertaConfig, RobertaForMaskedLM

from harness.learning.data.corpus import Corpus, CorpusPlan, Stream

SPECIAL_TOKENS = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
BEGIN, PAD, END, UNKNOWN, MASK = range(len(SPECIAL_TOKENS))
_IGNORED = -100


@dataclass(frozen=True)
class PretrainPlan:
    """The encoder and how it is pretrained; the two shares take the place of :class:`CorpusPlan`'s."""

    seed: int = 7
    layers: int = 2
    width: int = 128
    heads: int = 4
    positions: int = 64
    steps: int = 1_500
    batch_size: int = 64
    lr: float = 1e-3
    warm_up_steps: int = 200
    decay_steps: int = 500
    mask_share: float = 0.3
    common_share: float = 0.3
    background_share: float = 0.3


def pretrain(
    plan: PretrainPlan, corpus_plan: CorpusPlan, steps: int, report: Callable[[int, float], None]
) -> tuple[RobertaForMaskedLM, list[float]]:
    """The first ``steps`` of the plan's steps: the model and the loss of each step; ``report(step, loss)`` follows it.

    The texts are drawn as they are needed, from a stream of their own; none is stored.
    """
    corpus = Corpus(replace(corpus_plan, common_share=plan.common_share, background_share=plan.background_share))
    model = _fresh_model(plan, len(corpus.words))
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=plan.lr, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _lr_factor(plan, step))
    stream = Stream(corpus.plan.seed, 3)
    losses: list[float] = []
    for step in range(steps):
        inputs, labels = masked_batch(plan, corpus, stream)
        loss = model(
            input_ids=torch.from_numpy(inputs),
            attention_mask=torch.ones(inputs.shape, dtype=torch.int64),
            labels=torch.from_numpy(labels),
        ).loss
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(float(loss.detach()))
        report(step + 1, losses[-1])
    return model, losses


def masked_batch(plan: PretrainPlan, corpus: Corpus, stream: Stream) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Token ids and labels, both [batch x words + 2]; labels are -100 where nothing is to be guessed."""
    words, _ = corpus.draw(plan.batch_size, stream)
    tokens = words + len(SPECIAL_TOKENS)
    chosen = stream.uniform(*tokens.shape)
    shown = np.where(chosen < plan.mask_share, MASK, tokens)
    labels = np.where(chosen < plan.mask_share, tokens, _IGNORED)
    return _framed(shown, BEGIN, END), _framed(labels, _IGNORED, _IGNORED)


def _framed(rows: NDArray[np.int64], first: int, last: int) -> NDArray[np.int64]:
    """Rows with a column before and one after them."""
    edges = [np.full((len(rows), 1), value, dtype=np.int64) for value in (first, last)]
    return np.concatenate([edges[0], rows, edges[1]], axis=1)


def _fresh_model(plan: PretrainPlan, words: int) -> RobertaForMaskedLM:
    """A model with random weights that depend on the plan's seed alone."""
    config = RobertaConfig(
        vocab_size=words + len(SPECIAL_TOKENS),
        hidden_size=plan.width,
        num_hidden_layers=plan.layers,
        num_attention_heads=plan.heads,
        intermediate_size=4 * plan.width,
        max_position_embeddings=plan.positions + PAD + 1,
        type_vocab_size=1,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        bos_token_id=BEGIN,
        pad_token_id=PAD,
        eos_token_id=END,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(plan.seed)
        return RobertaForMaskedLM(config)


def _lr_factor(plan: PretrainPlan, step: int) -> float:
    """Linear warm-up, constant, linear decay to zero over the last ``decay_steps``."""
    return min(1.0, (step + 1) / plan.warm_up_steps, max(0.0, (plan.steps - step) / plan.decay_steps))
