"""From the command line's words to experiments, methods and folders."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from benchtools import TINY

from harness import launch
from harness.bench import RunOptions, new_run
from harness.errors import ProfileError, UsageError
from harness.learning.workload import Sources
from harness.options import methods_of
from harness.profiles import AGGREGATION_METHODS, FEDERA_METHODS


def test_options_are_overrides_and_set_has_the_last_word() -> None:
    experiment = launch.experiment_of(TINY, ["rounds.count=7", "seeds.link=9"], rounds=5, agents=3, seed=4)
    assert (experiment.rounds.count, experiment.agents.count) == (7, 3)
    seeds = experiment.seeds
    assert (seeds.cohort, seeds.initialisation, seeds.training, seeds.evaluation, seeds.link) == (4, 4, 4, 4, 9)


def test_a_seed_leaves_the_shards_as_they_are_and_zero_is_a_seed() -> None:
    assert launch.experiment_of(TINY, ["seeds.training=5"], None, None, 3).seeds.partition == 0
    given = ["seeds.training=5"]
    assert launch.experiment_of(TINY, given, None, None, None).seeds.training == 5
    assert launch.experiment_of(TINY, [], None, None, 0).seeds.training == 0


def test_a_profile_that_is_none_is_an_error() -> None:
    with pytest.raises(ProfileError, match="quikstart"):
        launch.experiment_of("quikstart", [], None, None, None)


@pytest.mark.parametrize(
    ("names", "methods"),
    [
        ("all", list(FEDERA_METHODS)),
        ("aggregation", ["fedlr", "federa", *AGGREGATION_METHODS, "central"]),
        ("fedbf aggregation fedlr", ["fedbf", "fedlr", "federa", *AGGREGATION_METHODS, "central"]),
        ("federa", ["federa"]),
        ("fedlr federa", ["fedlr", "federa"]),
        ("fedlr, federa", ["fedlr", "federa"]),
    ],
)
def test_methods_are_a_list_of_names_and_of_groups(names: str, methods: list[str]) -> None:
    assert methods_of(names) == methods


@pytest.mark.parametrize(("names", "words"), [("fedxx", "'fedxx' is unknown"), (" , ", "names no method")])
def test_what_is_no_method_is_named_with_the_choices(names: str, words: str) -> None:
    with pytest.raises(UsageError, match=f"{words}; choose from: fedft, fedbf, fedap, fedlr, federa"):
        methods_of(names)


def test_an_experiment_that_is_none_for_a_method_is_said_before_anything_is_made(tmp_path: Path) -> None:
    real = launch.experiment_of(TINY, ["partition.clients=4"])
    launch.check_methods([real], ["fedlr", "central"])
    with pytest.raises(ProfileError, match=r"fedsa keeps B and the head at each client.*--fleet virtual"):
        launch.check_methods([real], ["fedlr", "fedsa"])
    with pytest.raises(ProfileError, match=r"central trains on the data of all clients in each round, and 4 of 5"):
        new_run(launch.experiment_of(TINY, ["partition.clients=5"]), "central", Sources(), RunOptions(out=tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_folders_that_were_named_are_there(tmp_path: Path) -> None:
    launch.check_folders(None, tmp_path)
    with pytest.raises(UsageError, match=r"--models .*/nowhere: there is no such folder"):
        launch.check_folders(tmp_path, tmp_path / "nowhere")


def test_where_runs_go_is_a_folder_or_can_be_one(tmp_path: Path) -> None:
    launch.check_folders(None, None, tmp_path / "not" / "yet")
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"--out .*/file/runs: .*/file is a file; give a folder"):
        launch.check_folders(None, None, tmp_path / "file" / "runs")


@pytest.mark.parametrize("fleet", ["foo", ""])
def test_an_unknown_fleet_is_named_by_its_option(fleet: str) -> None:
    with pytest.raises(UsageError, match=f"--fleet '{fleet}' is unknown; choose from: zeromq, virtual"):
        launch.experiment_of(TINY, [], fleet=fleet)


def test_a_table_without_the_seconds_of_a_run_is_said_before_the_run() -> None:
    real = launch.experiment_of(TINY, ["device=table8"])
    launch.check_tables([real], ["federa"])  # real agents are measured
    for sets, words in ((["device=table8"], "device 'table8'"), (["link=table8"], "link 'table8'")):
        virtual = launch.experiment_of(TINY, sets, fleet="virtual")
        with pytest.raises(ProfileError, match=f"{words} has no seconds for federa"):
            launch.check_tables([virtual], ["federa"])


def test_the_printed_profile_is_whole_and_has_its_hash(capsys: pytest.CaptureFixture[str]) -> None:
    experiment = launch.experiment_of(TINY, [], None, None, None)
    launch.print_configs([experiment])
    told = json.loads(capsys.readouterr().out)
    assert len(told.pop("profile_sha256")) == 64
    assert told["model"]["embedded"]
    assert told["rounds"]["count"] == 3


def test_a_run_goes_on_with_the_agents_that_it_was_started_for(tmp_path: Path) -> None:
    options = RunOptions(tmp_path, "tcp://0.0.0.0:5555", local_agents=False, keys=tmp_path / "keys")
    folder = new_run(launch.experiment_of(TINY, []), "federa", Sources(), options)
    recorded = launch.AgentOptions.recorded(folder.read_header().environment)
    assert recorded == launch.AgentOptions("tcp://0.0.0.0:5555", None, True, tmp_path / "keys")
    assert launch.AgentOptions.recorded({"cores": 2}) == launch.AgentOptions(), "of a run that is older"


def test_what_is_said_at_a_resume_goes_before_what_was_said_and_the_rest_stays(tmp_path: Path) -> None:
    said = launch.AgentOptions("tcp://0.0.0.0:5555", None, True, tmp_path / "keys", "10.0.0.1:6379")
    assert launch.AgentOptions().over(said) == said
    elsewhere = launch.AgentOptions(bind="tcp://10.0.0.2:5555").over(said)
    assert elsewhere == launch.AgentOptions("tcp://10.0.0.2:5555", None, True, tmp_path / "keys", "10.0.0.1:6379")


KERNEL = ["link.rate_mbps=25", "link.shaping=kernel"]


@pytest.mark.parametrize(
    "options",
    [launch.AgentOptions(), launch.AgentOptions(external=True), launch.AgentOptions(bind="tcp://0.0.0.0:5555")],
)
def test_agents_without_devices_of_their_own_are_refused_a_link_that_the_kernel_keeps(
    options: launch.AgentOptions,
) -> None:
    experiment = launch.experiment_of(TINY, KERNEL)
    with pytest.raises(UsageError, match="needs agents on devices of their own"):
        launch.check_fleet([experiment], options)


def test_a_virtual_fleet_may_have_any_link() -> None:
    launch.check_fleet([launch.experiment_of(TINY, KERNEL, fleet="virtual")], launch.AgentOptions())


def test_a_cluster_is_looked_for_where_one_is_to_train_and_refused_elsewhere() -> None:
    virtual = launch.experiment_of(TINY, [], fleet="virtual")
    with pytest.raises(UsageError, match="--ray names a cluster, and this fleet does not train on one"):
        launch.check_fleet([virtual], launch.AgentOptions(ray="10.0.0.1:6379"))
    over = launch.experiment_of(TINY, [], fleet="ray")
    with pytest.raises(UsageError, match=r"no Ray cluster answers at 127\.0\.0\.1:1 "):
        launch.check_fleet([over], launch.AgentOptions(ray="127.0.0.1:1"))
    with pytest.raises(UsageError, match="--bind is of real agents"):
        launch.check_fleet([over], launch.AgentOptions(bind="tcp://0.0.0.0:5555", ray="local"))
    launch.check_fleet([over], launch.AgentOptions(ray="local"))
