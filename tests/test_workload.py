"""What a run learns from, as files: the same for the same experiment, each part by its own seed."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.numpy import load_file

from harness.errors import ProfileError, UsageError
from harness.learning.data.dataset import load_dataset
from harness.learning.data.encode import Encoded, read_shard
from harness.learning.data.examples import TextExample
from harness.learning.data.sources import EMBEDDED
from harness.learning.data.tokenizer import TextTokenizer
from harness.learning.forms import kind_of
from harness.learning.tasks.text_classification import encode
from harness.learning.workload import Sources, Workload, prepare
from harness.library import load_experiment
from harness.profiles import METHODS, Method

FEW = ("partition.clients=12", "rounds.clients_per_round=4", "evaluate.sample=60")


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def prepared(workdir: Path, *overrides: str, method: Method = "federa") -> Workload:
    return prepare(load_experiment("quickstart", [*FEW, *overrides]), method, Sources(), workdir, lambda line: None)


def hashes(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def rows(encoded: Encoded) -> list[tuple[tuple[int, ...], int]]:
    """Token ids and label of each sample."""
    labels = encoded.labels
    assert labels is not None
    return [(tuple(encoded.input_ids[encoded.row(row)].tolist()), int(labels[row])) for row in range(len(encoded))]


def test_the_same_experiment_gives_the_same_bytes(tmp_path: Path) -> None:
    torch.manual_seed(1)
    prepared(tmp_path / "first")
    torch.manual_seed(2)
    prepared(tmp_path / "second")
    assert hashes(tmp_path / "first") == hashes(tmp_path / "second")
    assert {"initial.safetensors", "test.safetensors", "shards/0.safetensors"} < hashes(tmp_path / "first").keys()


def test_preparing_again_in_the_same_folder_changes_nothing(tmp_path: Path) -> None:
    prepared(tmp_path)
    before = hashes(tmp_path)
    prepared(tmp_path)
    assert hashes(tmp_path) == before


@pytest.mark.parametrize(
    ("seed", "changed"),
    [("partition", "shards/"), ("initialisation", "initial."), ("evaluation", "test."), ("training", None)],
)
def test_each_seed_decides_one_part(tmp_path: Path, seed: str, changed: str | None) -> None:
    prepared(tmp_path / "first", method="fedlr")
    prepared(tmp_path / "second", f"seeds.{seed}=5", method="fedlr")
    first, second = hashes(tmp_path / "first"), hashes(tmp_path / "second")
    # An encoding is named by what it encodes.
    differing = {name for name in first if not name.startswith("encoded-") and first[name] != second[name]}
    assert {name.startswith(changed or "?") for name in differing} == ({True} if changed else set())


def test_shards_hold_each_training_text_once(tmp_path: Path) -> None:
    workload = prepared(tmp_path)
    experiment = load_experiment("quickstart")
    dataset, _ = load_dataset(experiment, None, None, tmp_path, lambda line: None)
    tokenizer = TextTokenizer(EMBEDDED / "encoder", experiment.train.max_length)
    encoded = encode([one for one in dataset.train if isinstance(one, TextExample)], dataset.label_names, tokenizer)
    shards = [read_shard(workload.shards[client]) for client in range(12)]
    assert sorted(row for shard in shards for row in rows(shard)) == sorted(rows(encoded))
    assert workload.samples == {client: len(shard) for client, shard in enumerate(shards)}
    assert sum(workload.samples.values()) == len(dataset.train) == 4_000


def test_a_sample_of_the_test_texts_is_drawn_in_their_order(tmp_path: Path) -> None:
    prepared(tmp_path / "some")
    prepared(tmp_path / "all", "evaluate.sample=null")
    some, everything = (rows(read_shard(tmp_path / name / "test.safetensors")) for name in ("some", "all"))
    places = [everything.index(row) for row in some]
    assert len(everything) == 1_200
    assert len(set(places)) == 60
    assert places == sorted(places)


def test_a_sample_larger_than_the_test_split_is_all_of_it_and_a_warning(tmp_path: Path) -> None:
    workload = prepared(tmp_path, "evaluate.sample=5000")
    assert len(read_shard(tmp_path / "test.safetensors")) == 1_200
    assert workload.warnings == ("evaluate.sample is 5000, but the test split has 1200 samples: all of them are used",)


def test_rows_longer_than_the_model_s_positions_are_refused_whatever_the_tokenizer_says(tmp_path: Path) -> None:
    shutil.copytree(EMBEDDED / "encoder", tmp_path / "model")
    settings = tmp_path / "model" / "tokenizer_config.json"
    settings.write_text(settings.read_text().replace('"model_max_length": 64', '"model_max_length": 512'))
    with pytest.raises(UsageError, match=r"train\.max_length is 65, .* reads at most 64 tokens: give at most that"):
        prepared(tmp_path / "work", f"model={tmp_path}/model", "train.max_length=65", method="fedlr")


ALL_AT_ONCE = ("partition.clients=4", "fleet=virtual")


@pytest.mark.parametrize("method", METHODS)
def test_only_federa_ships_its_state_and_takes_an_svd_and_only_ffa_ships_an_a(tmp_path: Path, method: Method) -> None:
    workload = prepared(tmp_path, *ALL_AT_ONCE, method=method)
    assert (workload.svd_s > 0) == (method == "federa")
    if method == "federa":
        assert workload.init == workload.initial_state
    elif method == "ffa":
        assert workload.init is not None
        assert {kind_of(name) for name in load_file(workload.init)} == {"A"}
    else:
        assert workload.init is None


def test_the_start_of_federa_ships_the_factors_of_other_methods_without_the_head(tmp_path: Path) -> None:
    workload = prepared(tmp_path, "methods={fra: {initialisation: federa}}", method="fra")
    assert workload.init is not None
    assert {kind_of(name) for name in load_file(workload.init)} == {"A", "B"}
    assert workload.svd_s > 0


def test_adapted_weights_are_named_with_their_shapes(tmp_path: Path) -> None:
    assert set(prepared(tmp_path, method="fra").layers.values()) == {(128, 128)}
    assert prepared(tmp_path, method="fedbf").layers == {}


def test_to_central_all_clients_are_one_that_holds_what_they_hold(tmp_path: Path) -> None:
    apart = prepared(tmp_path / "apart", *ALL_AT_ONCE, method="fedlr")
    workload = prepared(tmp_path / "central", *ALL_AT_ONCE, method="central")
    (shard,) = workload.shards.values()
    assert workload.samples == {0: sum(apart.samples.values())}
    assert sorted(rows(read_shard(shard))) == sorted(
        row for path in apart.shards.values() for row in rows(read_shard(path))
    )
    assert workload.partition is None
    assert apart.partition is not None


def test_central_takes_as_many_steps_as_all_clients_of_the_others(tmp_path: Path) -> None:
    limited = (*ALL_AT_ONCE, "train.max_steps=4")
    apart = prepared(tmp_path / "apart", *limited, method="fedlr")
    central = prepared(tmp_path / "central", *limited, method="central")
    assert apart.prepare.train.max_steps == 4
    assert central.prepare.train.max_steps == 4 * len(apart.shards)


def test_an_experiment_that_cannot_be_run_with_a_method_is_not_prepared(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="central trains on the data of all clients in each round, and 4 of 12"):
        prepared(tmp_path / "work", method="central")
    assert not (tmp_path / "work").exists()


def test_the_evaluator_reads_the_initial_state(tmp_path: Path) -> None:
    workload = prepared(tmp_path)
    assert workload.evaluator is not None
    assert 0 <= workload.evaluator(workload.initial_state)["accuracy"] < 0.5
    assert workload.prepare.labels == 12
    assert sorted(workload.base) == ["config.json", "model.safetensors"]


def test_each_step_is_told_in_one_line(tmp_path: Path) -> None:
    told: list[str] = []
    prepare(load_experiment("quickstart", FEW), "federa", Sources(), tmp_path, told.append)
    assert told[2] == "encoding 4,000 training and 60 test samples in rows of 34 tokens"
    assert told[-2:] == [
        "writing the shards of 12 clients, 333 to 337 samples each",
        "making the initial state of federa",
    ]
    assert not [line for line in told if "\n" in line]


NULL = """
import sys
from pathlib import Path
from harness.learning.workload import Sources, prepare
from harness.library import load_experiment

experiment = load_experiment("null", ["train.null_state_bytes=4000", "partition.clients=5"])
workload = prepare(experiment, "federa", Sources(), Path(sys.argv[1]), lambda line: None)
assert workload.evaluator is None and workload.init is None and workload.base == {}
assert workload.samples == dict.fromkeys(range(5), 1)
print("torch" in sys.modules, "transformers" in sys.modules)
"""


def test_the_null_workload_is_a_state_of_the_asked_size_made_without_torch(tmp_path: Path) -> None:
    for folder in ("first", "second"):
        command = [sys.executable, "-c", NULL, str(tmp_path / folder)]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (ended.stdout, ended.stderr) == ("False False\n", "")
    assert hashes(tmp_path / "first") == hashes(tmp_path / "second")
    (state,) = load_file(tmp_path / "first" / "initial.safetensors").values()
    assert state.nbytes == 4_000
    assert [len(read_shard(path)) for path in (tmp_path / "first" / "shards").iterdir()] == [1] * 5
