"""Every experiment in the repository runs: one round of one client on a virtual fleet, with a small encoder.

Data sets that are not embedded are small made files of the right form, and every model's folder holds the embedded
encoder; all else is what the profile says.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from profile_commands import profile_of
from small_datasets import write_datasets, write_models

from harness import launch, library, options
from harness.bench import RunOptions, new_run
from harness.fleets.virtual_seconds import VirtualSeconds
from harness.learning.workload import Sources
from harness.profiles import FEDERA_METHODS, METHODS, METRICS
from harness.records import RoundRecord

ROOT = library.profiles_root()
PATHS = sorted((ROOT / library.EXPERIMENTS).rglob("*.yaml"))
NAMES = [path.stem for path in PATHS]
SMALL = (
    "rounds.count=1",
    "rounds.clients_per_round=1",
    "train.max_length=40",
    "train.stride=8",
    "train.question_length=8",
    "train.null_state_bytes=1024",
    "evaluate.sample=8",
)
"""What makes any experiment a matter of a second."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_datasets(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_models(tmp_path_factory.mktemp("models"))


def test_there_are_53_experiments() -> None:
    assert len(NAMES) == 53
    assert len(set(NAMES)) == 53, "two folders hold an experiment of one name"


@pytest.mark.parametrize("name", NAMES)
def test_an_experiment_runs(name: str, data: Path, models: Path, tmp_path: Path) -> None:
    listed = library.load_experiment(name).partition.shares is not None
    few = () if listed else ("partition.clients=4",)  # a list of shares has a row for each client
    experiment = launch.experiment_of(name, (*SMALL, *few), fleet="virtual")
    folder = new_run(experiment, "federa", Sources(data, models), RunOptions(out=tmp_path))
    launch.carry_on(folder, launch.AgentOptions())
    (line,) = (folder.path / "rounds.jsonl").read_bytes().splitlines()
    record = msgspec.json.decode(line, type=RoundRecord)
    assert (folder.read_header().state, len(record.completed)) == ("done", 1)
    learned = METRICS[experiment.dataset.task] if experiment.train.trainer == "torch" else ()
    assert set(record.metrics) == set(learned)
    assert (record.drift is not None) == experiment.record.drift


@pytest.mark.parametrize("path", PATHS, ids=NAMES)
def test_an_experiment_is_named_like_its_file_and_opens_with_its_command(path: Path) -> None:
    experiment = library.load_experiment(path.stem)
    assert experiment.name == path.stem
    assert profile_of(library.first_comment(path))[0] == path.stem


@pytest.mark.parametrize("name", [name for name in NAMES if library.load_experiment(name).fleet == "virtual"])
def test_a_virtual_experiment_has_the_seconds_of_its_methods(name: str) -> None:
    experiment = library.load_experiment(name)
    timed = experiment.device.seconds or experiment.link.transfers  # by the paper, which has five methods
    for method in FEDERA_METHODS if timed else METHODS:
        VirtualSeconds(experiment, method)


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith(("fra-", "quickstart-aggregation"))])
def test_an_experiment_on_aggregation_can_be_run_with_each_of_its_methods(name: str) -> None:
    experiment = library.load_experiment(name)
    wanted = ("fedlr", "ffa", "fra") if name.endswith("-private") else options.GROUPS["aggregation"]
    assert tuple(experiment.methods) == tuple(wanted)
    for method in experiment.methods:
        experiment.check(method)


def test_every_part_is_used_by_an_experiment_or_a_command() -> None:
    loaded = [library.load_experiment(name) for name in NAMES]
    loaded += [library.load_experiment(*profile_of(library.first_comment(path))) for path in ROOT.rglob("*.yaml")]
    for part, folder in library.PARTS.items():
        used = {getattr(experiment, part).name for experiment in loaded}
        assert {path.stem for path in (ROOT / folder).rglob("*.yaml")} <= used
