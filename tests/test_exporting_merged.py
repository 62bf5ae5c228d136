"""Exported models: plain transformers loads them, and they say what our own network says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from exported_models import NAMES, TOLERANCE, made, scores
from transformers import (
    AutoModelForQuestionAnswering,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
)

from harness.errors import UsageError
from harness.learning.exporting import write_merged
from harness.profiles import FraProfile, Method, TaskName

FEDERA = {"initialisation": "federa"}
PLAIN: dict[TaskName, Any] = {
    "text-classification": AutoModelForSequenceClassification,
    "token-classification": AutoModelForTokenClassification,
    "question-answering": AutoModelForQuestionAnswering,
}


@pytest.mark.parametrize(
    ("method", "settings"),
    [
        ("fedft", {}),
        ("fedbf", {}),
        ("fedlr", {}),
        ("federa", {}),
        ("ffa", FEDERA),
        ("fra", {"fra": FraProfile(residual="fold")}),
        ("fra", {"fra": FraProfile(residual="fold"), **FEDERA}),
        ("fedex", {}),
        ("fedex", FEDERA),
        ("flora", {}),
        ("flora", FEDERA),
        ("slora", {}),
        ("slora", {"switch_round": 1}),
    ],
)
def test_a_model_says_what_the_run_s_own_network_says(method: Method, settings: dict[str, Any], tmp_path: Path) -> None:
    source, network = made(tmp_path, method, **settings)
    write_merged(source, tmp_path / "out")
    plain = PLAIN[source.task].from_pretrained(tmp_path / "out").eval()
    ours = scores(network.model, source.task)
    torch.testing.assert_close(scores(plain, source.task), ours, atol=TOLERANCE, rtol=0)
    assert plain.config.id2label == dict(enumerate(NAMES))
    assert plain.config.label2id == {name: number for number, name in enumerate(NAMES)}


@pytest.mark.parametrize(
    ("architecture", "task"),
    [
        ("roberta", "text-classification"),
        ("distilbert", "question-answering"),
        ("deberta-v2", "token-classification"),
        ("modernbert", "token-classification"),
        ("albert", "question-answering"),
    ],
)
def test_other_architectures_and_tasks(architecture: str, task: TaskName, tmp_path: Path) -> None:
    source, network = made(tmp_path, "federa", architecture, task)
    write_merged(source, tmp_path / "out")
    plain = PLAIN[task].from_pretrained(tmp_path / "out").eval()
    torch.testing.assert_close(scores(plain, task), scores(network.model, task), atol=TOLERANCE, rtol=0)


def test_bottlenecks_are_refused(tmp_path: Path) -> None:
    source, _ = made(tmp_path, "fedap")
    with pytest.raises(UsageError, match=r"^fedap's bottlenecks are layers that neither PEFT nor a plain model"):
        write_merged(source, tmp_path / "out")
    assert not (tmp_path / "out").exists()
