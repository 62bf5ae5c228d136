"""What clients hold is what a run trains on, counted without a model."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow
import pyarrow.parquet as parquet
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


def shared() -> Path:
    folder = Path(__file__).parents[1].parent / "shared"
    if not folder.is_dir():
        pytest.skip("../shared is not there")
    return folder


@pytest.mark.parametrize(
    ("profile", "classes", "samples"),
    [
        ("20news-roberta", 20, [113] * 99 + [127]),
        ("wnut-roberta", 37, [113] * 29 + [117]),
        ("sst2-roberta", 2, [22_449, 22_449, 22_451]),
    ],
)
def test_the_clients_of_the_shared_data_sets(profile: str, classes: int, samples: list[int]) -> None:
    shown = clients_of(load_experiment(profile), shared() / "data")
    assert len(shown.classes) == classes
    assert sorted(client.samples for client in shown.clients) == samples


def asked(folder: Path) -> None:
    """A small data set of questions in the form of SQuAD's."""
    for split in ("train", "dev"):
        columns = {
            "id": [str(place) for place in range(24)],
            "context": ["It was Ada."] * 24,
            "question": [f"Which {('river', 'planet')[place % 2]} is number {place}?" for place in range(24)],
            "answer_starts": [[7]] * 24,
            "answer_texts": [["Ada"]] * 24,
        }
        parquet.write_table(pyarrow.table(columns), folder / f"squad_v1.1_{split}.parquet")


SQUAD = ["profiles", "partition", "squad-roberta", "--json"]
FEW = [
    "partition.clients=3",
    "rounds.clients_per_round=3",
    "dataset.classes.clusters=2",
    "dataset.classes.embedding=null",
]
SETS = [word for override in FEW for word in ("--set", override)]


def test_questions_are_clustered_before_they_are_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked(tmp_path)
    assert cli.main([*SQUAD, *SETS, "--data", str(tmp_path)]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["classes"] == ["cluster 1", "cluster 2"]
    assert sum(map(sum, (client["by_class"] for client in json.loads(told.out)["clients"]))) == 24
    assert "embedding 24 questions" in told.err


def test_a_named_embedding_is_looked_for_in_the_models_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked(tmp_path)
    named = ["--set", "dataset.classes.embedding={name: minilm, folder: no-such-model}"]
    assert cli.main([*SQUAD, *SETS, *named, "--data", str(tmp_path), "--models", str(tmp_path)]) == 2
    assert f"model folder {tmp_path / 'no-such-model'} does not exist" in capsys.readouterr().err


def test_more_clients_than_samples_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["profiles", "partition", "quickstart", "--set", "partition.clients=4001"]) == 2
    assert "partition.clients is 4001, but there are 4000 training samples" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("partition.alpha=0", "key 'partition.alpha' is 0; allowed is a number above 0"),
        ("partition.clients=7", "rounds.clients_per_round is 8, more than the 7 of partition.clients"),
    ],
)
def test_a_partition_that_cannot_be_is_one_sentence(
    override: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["profiles", "partition", "quickstart", "--set", override]) == 2
    assert sentence in capsys.readouterr().err


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
