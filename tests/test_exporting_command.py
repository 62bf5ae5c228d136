"""federa-bench export: what is made of real runs, loaded as their model cards say, is as good as was recorded."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
import run_folders
import torch
from benchtools import TINY

from harness import launch
from harness.bench import RunOptions, new_run
from harness.cli import main
from harness.learning.data.dataset import load_dataset
from harness.learning.workload import Sources
from harness.library import load_experiment
from harness.profiles import Method
from harness.store import RunFolder

# PEFT asks transformers for something by its old name.
pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")

SMALL = ("rounds.count=1", "train.max_steps=2", "evaluate.sample=60")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


def run_of(method: Method, root: Path) -> RunFolder:
    """A real run of one round."""
    experiment = launch.experiment_of(TINY, SMALL, fleet="virtual")
    folder = new_run(experiment, method, Sources(), RunOptions(out=root))
    launch.carry_on(folder, launch.AgentOptions())
    return folder


@pytest.fixture(scope="module")
def federa(root: Path) -> RunFolder:
    return run_of("federa", root)


@pytest.fixture(scope="module")
def fedap(root: Path) -> RunFolder:
    return run_of("fedap", root)


def loaded_as_the_card_says(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the lines of Python in README.md make, run in the folder."""
    [code] = re.findall(r"```python\n(.*?)```", (folder / "README.md").read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    monkeypatch.chdir(folder)
    exec(code, names)
    return names


@torch.no_grad()
def accuracy(names: dict[str, Any], tmp_path: Path) -> float:
    """Of the loaded model on the samples that the run was evaluated on, by the names of its labels."""
    experiment = load_experiment(TINY, [*SMALL, "fleet=virtual"])
    dataset, _ = load_dataset(experiment, None, None, tmp_path, lambda line: None)
    examples: list[Any] = list(dataset.evaluated)
    texts = [example.text for example in examples]
    cut = {"truncation": True, "max_length": experiment.train.max_length}
    encoded = names["tokenizer"](texts, padding=True, return_tensors="pt", **cut)
    best = names["model"].eval()(**encoded).logits.argmax(dim=-1).tolist()
    told = [names["model"].config.id2label[place] for place in best]
    return sum(name == example.label for name, example in zip(told, examples, strict=True)) / len(examples)


def test_an_adapter_and_a_model_are_as_good_as_was_recorded(
    federa: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    adapter, model, trace = tmp_path / "new" / "adapter", tmp_path / "model", tmp_path / "trace.json"
    asked = ["--peft", str(adapter), "--merged", str(model), "--trace", str(trace)]
    assert main(["export", str(federa.path), *asked]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0] == f"adapter of rank 64: {adapter}, as after round 1; README.md in it says how to load it"
    assert told[1] == f"model: {model}, as after round 1; README.md in it says how to load it"
    assert told[2].startswith(f"trace: {trace} (4 tasks)")
    recorded = federa.read_rounds()[-1].metrics["accuracy"]
    assert 0.1 < recorded < 1.0
    for folder in (adapter, model):
        assert accuracy(loaded_as_the_card_says(folder, monkeypatch), tmp_path) == pytest.approx(recorded)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "new", "trace.json"]


def test_a_model_says_the_same_whatever_became_of_the_frozen_weights(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = run_of("fedex", root)
    assert main(["export", str(run.path), "--peft", str(tmp_path / "adapter")]) == 2
    assert "--peft: fedex has added more than rank r" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    assert main(["export", str(run.path), "--merged", str(tmp_path / "model")]) == 0
    found = accuracy(loaded_as_the_card_says(tmp_path / "model", monkeypatch), tmp_path)
    assert found == pytest.approx(run.read_rounds()[-1].metrics["accuracy"])


def test_bottlenecks_are_refused_for_both(fedap: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for kind in ("peft", "merged"):
        assert main(["export", str(fedap.path), f"--{kind}", str(tmp_path / "out")]) == 2
        assert f"federa-bench: --{kind}: fedap's bottlenecks are layers" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_nobody_s_files_are_mixed_with_an_export(
    federa: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").touch()
    for asked, why in (
        ([], "nothing was asked for; give --peft DIR, --merged DIR or --trace FILE"),
        (["--peft", str(tmp_path / "full")], "full holds files already; give a new DIR to --peft"),
        (["--merged", str(tmp_path / "full" / "mine")], "mine is a file; give a new DIR to --merged"),
        (["--merged", str(tmp_path / "full" / "mine" / "out")], "a file stands where a folder should be"),
        (["--peft", "one", "--merged", "one"], "--peft and --merged name the same folder"),
    ):
        assert main(["export", str(federa.path), *asked]) == 2
        assert why in capsys.readouterr().err
    assert [path.name for path in tmp_path.rglob("*")] == ["full", "mine"]


def test_a_run_with_nothing_to_export_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--merged", str(tmp_path / "out")]
    assert main(["export", str(tmp_path), *asked]) == 2
    assert "is not a run folder" in capsys.readouterr().err
    empty = run_folders.write(tmp_path / "empty", run_folders.run(metrics=()))
    assert main(["export", str(empty), *asked]) == 2
    assert f"has no closed round yet; go on with: federa-bench resume {empty}" in capsys.readouterr().err
    bare = run_folders.write(tmp_path / "bare", run_folders.run())
    assert main(["export", str(bare), *asked]) == 1
    assert "round-0004.safetensors is missing, so there is nothing to export" in capsys.readouterr().err
    null = run_folders.experiment(train={"trainer": "null"})
    assert main(["export", str(run_folders.write(tmp_path / "null", run_folders.run(of=null))), *asked]) == 2
    assert "was run with the null trainer, which learns nothing" in capsys.readouterr().err


def test_a_state_that_is_not_the_recorded_one_is_not_exported(
    fedap: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copied = RunFolder(tmp_path / "run")
    (tmp_path / "run" / "checkpoints").mkdir(parents=True)
    for name in ("header.json", "rounds.jsonl"):
        (copied.path / name).write_bytes((fedap.path / name).read_bytes())
    for round in (0, 1):
        copied.checkpoint(round).write_bytes(fedap.checkpoint(0).read_bytes())
    assert main(["export", str(copied.path), "--merged", str(tmp_path / "out")]) == 1
    assert "is not the state that round 1 ended with" in capsys.readouterr().err


def test_a_model_that_is_gone_is_looked_for_where_one_says(
    federa: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("checkpoints", "rounds.jsonl"):
        (tmp_path / "run").mkdir(exist_ok=True)
        (tmp_path / "run" / name).symlink_to(federa.path / name)
    header = json.loads((federa.path / "header.json").read_text())
    encoder = Path(launch.__file__).parent / "embedded" / "encoder"
    header["profile"]["model"] = {"name": "mine", "folder": encoder.name}
    (tmp_path / "run" / "header.json").write_bytes(msgspec.json.encode(header))
    asked = ["export", str(tmp_path / "run"), "--merged", str(tmp_path / "out")]
    assert main(asked) == 2
    assert "give MODELS=folder (--models)" in capsys.readouterr().err
    assert main([*asked, "--models", str(encoder.parent)]) == 0


def test_the_commands_of_the_page_write_what_it_says(
    federa: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (Path(launch.__file__).parent.parent / "docs" / "export.md").read_text(encoding="utf-8")
    commands = [line.split()[1:] for line in re.findall(r"^    (federa-bench export .*)$", page, re.MULTILINE)]
    assert [words[2] for words in commands] == ["--peft", "--merged", "--merged"]
    for number, words in enumerate(commands):
        folder = tmp_path / str(number)
        (folder / "path" / "to" / "models").mkdir(parents=True)
        monkeypatch.chdir(folder)
        assert main(["export", str(federa.path), *words[2:]]) == 0
        weights = {"--peft": "adapter_model.safetensors", "--merged": "model.safetensors"}[words[2]]
        assert {weights, "README.md", "tokenizer.json"} <= {path.name for path in (folder / words[3]).iterdir()}
