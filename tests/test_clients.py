"""What clients hold is what a run trains on, counted without a model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness import cli
from harness.errors import UsageError
from harness.learning.clients import clients_of
from harness.learning.workload import Sources, prepare
from harness.library import load_experiment


def test_the_clients_shown_are_those_of_a_run(tmp_path: Path) -> None:
    experiment = load_experiment("quickstart", ["partition.clients=39"])
    shown = clients_of(experiment, None)
    trained = prepare(experiment, "fedbf", Sources(), tmp_path, lambda line: None)
    assert {client.client: client.samples for client in shown.clients} == trained.samples
    assert sum(sum(client.by_class) for client in shown.clients) == shown.samples == 4000


def test_a_larger_alpha_brings_clients_closer_together() -> None:
    skewed, mixed = (clients_of(load_experiment("quickstart", [f"partition.alpha={a}"]), None) for a in (0.05, 100))
    assert skewed.mean_pairwise > 2 * mixed.mean_pairwise
    assert skewed.mean_from_whole > 2 * mixed.mean_from_whole


def test_the_null_profile_has_no_clients_to_show() -> None:
    with pytest.raises(UsageError, match="trains nothing"):
        clients_of(load_experiment("null"), None)


def test_the_command_prints_a_row_for_each_client_and_the_means(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["profiles", "partition", "quickstart", "--set", "partition.clients=9"]) == 0
    printed = capsys.readouterr().out
    assert "4,000 samples of 12 classes, 9 clients (fednlp-dirichlet, alpha 0.05, seed 0)" in printed
    assert "between two clients" in printed
    assert printed.count(" 444 ") == 8  # and the last one of 448


def test_json_is_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["profiles", "partition", "quickstart", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told["clients"]) == 40
    assert 0 < told["mean_pairwise"] <= 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [(["partition"], "name the profile"), (["quickstart", "null"], "profiles partition null")],
)
def test_a_word_missing_or_too_many_is_said(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["profiles", *words]) == 2
    assert sentence in capsys.readouterr().err
