"""Small encoders with random weights, and shards of random texts, for the tests of the learning side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModel, DistilBertConfig, PreTrainedConfig, RobertaConfig

from harness.learning.spec import PrepareSpec
from harness.profiles import Method, MethodProfile, ModulesProfile, TaskName, TrainProfile

ARCHITECTURES = ("bert", "roberta", "distilbert", "deberta-v2")
SHARED = Path(__file__).parents[1].parent / "shared"
MINILM = SHARED / "models" / "minilm-l6"
LABELS = 4
VOCABULARY = 100

_DEBERTA = {"relative_attention": True, "pos_att_type": ["p2c", "c2p"], "position_biased_input": False}
_PECULIAR: dict[str, dict[str, Any]] = {
    "albert": {"embedding_size": 32, "inner_group_num": 2, "hidden_act": "gelu"},
    "deberta": {**_DEBERTA, "type_vocab_size": 0},
    # As DeBERTaV3: shared keys, log buckets, no absolute positions.
    "deberta-v2": {
        **_DEBERTA,
        "position_buckets": 8,
        "norm_rel_ebd": "layer_norm",
        "share_att_key": True,
        "type_vocab_size": 0,
    },
    "electra": {"embedding_size": 32},
    "luke": {"entity_vocab_size": 10, "entity_emb_size": 16},
    "modernbert": {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "cls_token_id": 1, "sep_token_id": 2},
    "roberta": {"type_vocab_size": 1},
}


def config_of(architecture: str) -> PreTrainedConfig:
    """Two layers, width 64; any model type of transformers whose config has the usual names."""
    size = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 128}
    common = {"vocab_size": VOCABULARY, "max_position_embeddings": 40}
    if architecture == "distilbert":
        return DistilBertConfig(dim=64, n_layers=2, n_heads=4, hidden_dim=128, **common)
    return AutoConfig.for_model(architecture, **size, **common, **_PECULIAR.get(architecture, {}))


def roberta_base_config() -> RobertaConfig:
    """The sizes of roberta-base, with the 20 classes of 20Newsgroups."""
    return RobertaConfig(vocab_size=50265, max_position_embeddings=514, type_vocab_size=1, num_labels=20)


def write_encoder(folder: Path, architecture: str = "bert") -> Path:
    """A model folder with random weights, every time the same."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = AutoModel.from_config(config_of(architecture))
    for name, tensor in model.named_parameters():  # biases of new models are zero: too easy
        if name.endswith("bias"):
            tensor.data.normal_(0.0, 0.02, generator=torch.Generator().manual_seed(len(name)))
    folder.mkdir(parents=True, exist_ok=True)
    model.config.save_pretrained(folder)
    save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, folder / "model.safetensors")
    return folder


def write_texts(path: Path, texts: list[list[int]], labels: list[int]) -> Path:
    """A shard of these token ids and labels."""
    ends = torch.tensor([len(text) for text in texts], dtype=torch.int64).cumsum(0)
    tensors = {
        "input_ids": torch.tensor([token for text in texts for token in text], dtype=torch.int32),
        "offsets": torch.cat([torch.zeros(1, dtype=torch.int64), ends]),
        "labels": torch.tensor(labels, dtype=torch.int64),
    }
    save_file(tensors, path)
    return path


def write_shard(path: Path, samples: int, seed: int = 0, labels: int = LABELS) -> Path:
    """A shard of random texts of 3 to 20 tokens."""
    source = torch.Generator().manual_seed(seed)
    lengths = torch.randint(3, 21, (samples,), generator=source).tolist()
    texts = [torch.randint(5, VOCABULARY, (length,), generator=source).tolist() for length in lengths]
    return write_texts(path, texts, torch.randint(0, labels, (samples,), generator=source).tolist())


def spec_of(
    method: Method,
    labels: int = LABELS,
    train: TrainProfile | None = None,
    *,
    task: TaskName = "text-classification",
    modules: ModulesProfile | None = None,
    **settings: float,
) -> PrepareSpec:
    """A spec for the small encoders: rank 4 and alpha 4 unless told otherwise."""
    values = {"rank": 4, "alpha": 4.0, "lr": 1e-3} | settings
    return PrepareSpec(
        method=method,
        task=task,
        settings=MethodProfile(**values),  # type: ignore[arg-type]
        modules=modules or ModulesProfile(),
        train=train or TrainProfile(batch_size=4),
        labels=labels,
        threads=1,
    )


def some_batch() -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and attention mask of three texts, the last one padded."""
    ids = torch.randint(5, VOCABULARY, (3, 12), generator=torch.Generator().manual_seed(7))
    mask = torch.ones_like(ids)
    mask[2, 6:] = 0
    return ids, mask
