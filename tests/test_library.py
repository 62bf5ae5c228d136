from __future__ import annotations

from pathlib import Path

import pytest
from profile_commands import profile_of

from harness import library
from harness.errors import ProfileError

ROOT = library.profiles_root()
EXPERIMENT = """\
# federa-bench run my.yaml
name: mine
description: An experiment of a test.
model: {name: m}
dataset: {name: d}
device: {name: here}
link: {name: wire}
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "my.yaml"
    path.write_text(EXPERIMENT)
    return path


def complaint(name: str | Path, *overrides: str) -> str:
    with pytest.raises(ProfileError) as caught:
        library.load_experiment(str(name), overrides)
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


def test_every_file_below_profiles_loads() -> None:
    files = sorted(ROOT.rglob("*.yaml"))
    parts = {folder: part for part, folder in library.PARTS.items()}
    assert len(files) >= 12
    for path in files:
        if path.parent.name == library.EXPERIMENTS:
            assert library.load_experiment(path.stem).name == path.stem
        else:
            part = parts[path.parent.name]
            loaded = library.load_experiment("null", ["fleet=virtual", f"{part}={path.stem}"])
            assert getattr(loaded, part).name == path.stem


def test_every_profile_opens_with_a_command_that_uses_it() -> None:
    for path in sorted(ROOT.rglob("*.yaml")):
        experiment = library.load_experiment(*profile_of(library.first_comment(path)))
        used = [experiment.name, *(getattr(experiment, part).name for part in library.PARTS)]
        assert path.stem in used, f"{path} opens with a command that does not use it"


def test_experiments_are_listed_with_description_and_command() -> None:
    listed = {experiment.name: experiment for experiment in library.list_experiments()}
    assert sorted(listed) == sorted(path.stem for path in (ROOT / "experiments").glob("*.yaml"))
    assert listed["null"].command == "make bench METHOD=federa PROFILE=null"
    assert listed["null"].description.endswith(".")


def test_a_listed_experiment_says_what_it_wants_whatever_it_stands_on() -> None:
    for listed in library.list_experiments():
        experiment = library.load_experiment(listed.name)
        assert (listed.fleet, listed.brought_along) == (experiment.fleet, experiment.dataset.embedded is not None)


def test_names_are_replaced_by_the_files_they_name() -> None:
    link = library.load_experiment("20news-roberta").link
    assert (link.name, link.rate_min_mbps, link.rate_max_mbps) == ("wifi-20-30", 20, 30)


def test_a_path_loads_a_file_outside_the_library_and_parts_relative_to_it(mine: Path) -> None:
    (mine.parent / "slow.yaml").write_text("name: slow\nrate_mbps: 1")
    mine.write_text(EXPERIMENT.replace("{name: wire}", "./slow.yaml"))
    assert library.load_experiment(str(mine)).link.rate_mbps == 1


def test_overrides_are_applied_in_order(mine: Path) -> None:
    overrides = ["rounds.count=3", "methods.federa.lr=1e-3", "rounds.count=4", "target.fractions=[0.5, 1]"]
    experiment = library.load_experiment(str(mine), overrides)
    assert experiment.rounds.count == 4
    assert experiment.method("federa").lr == 0.001
    assert experiment.target.fractions == (0.5, 1)


def test_an_override_may_name_another_file_and_another_may_change_it(mine: Path) -> None:
    link = library.load_experiment(str(mine), ["link=wifi-20-30", "link.rate_max_mbps=40"]).link
    assert (link.name, link.rate_min_mbps, link.rate_max_mbps) == ("wifi-20-30", 20, 40)
    assert library.load_experiment(str(mine), ["link.rate_mbps=5", "link=unshaped"]).link.rate_mbps is None


def test_an_override_may_hold_a_part_itself(mine: Path) -> None:
    assert library.load_experiment(str(mine), ["link={name: slow, rate_mbps: 8}"]).link.rate_mbps == 8


def test_an_unknown_experiment_says_where_those_are_that_there_are() -> None:
    sentence = complaint("quikstart-or-so")
    assert sentence.startswith("there is no experiment profile 'quikstart-or-so'; ")
    assert "with: federa-bench profiles" in sentence
    assert len(sentence) < 160
    assert "did you mean 'null'?" in complaint("nul")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert str(tmp_path / "no.yaml") in complaint(tmp_path / "no.yaml")


def test_an_unknown_part_names_the_file_that_asks_for_it(mine: Path) -> None:
    mine.write_text(EXPERIMENT.replace("{name: wire}", "unshapd"))
    sentence = complaint(mine)
    assert sentence.startswith(f"{mine}: key 'link': there is no link profile 'unshapd'; did you mean 'unshaped'?")
    mine.write_text(EXPERIMENT)
    assert complaint(mine, "link=unshapd").startswith("--set link=unshapd: key 'link': there is no link profile")
    assert "is 3; allowed is the name of a file in profiles/devices" in complaint(mine, "device=3")


def test_a_wrong_value_in_a_part_names_the_part_s_own_file(mine: Path) -> None:
    (mine.parent / "slow.yaml").write_text("name: slow\nrate_mbps: 0")
    mine.write_text(EXPERIMENT.replace("{name: wire}", "./slow.yaml"))
    assert complaint(mine) == f"{mine.parent / 'slow.yaml'}: key 'rate_mbps' is 0; allowed is a number above 0 or null"


def test_a_wrong_key_in_an_experiment_names_its_file(mine: Path) -> None:
    mine.write_text(EXPERIMENT + "rounds: {coutn: 3}")
    sentence = complaint(mine)
    assert sentence.startswith(f"{mine}: key 'rounds.coutn' is unknown; did you mean 'count'? known here: ")


@pytest.mark.parametrize("override", ["rounds.coutn=3", "rounds.count=0", "rounds=3", "link.rate.mean=3", "seed=1"])
def test_a_wrong_override_is_named_rather_than_the_file(mine: Path, override: str) -> None:
    assert complaint(mine, "agents.count=2", override).startswith(f"--set {override}: key '")


def test_an_override_without_a_value_says_the_form(mine: Path) -> None:
    for override in ("rounds.count", "=3", "rounds..count=3"):
        assert "an override is KEY=VALUE" in complaint(mine, override)


def test_an_override_below_a_plain_value_is_refused(mine: Path) -> None:
    assert complaint(mine, "name.x=3") == "--set name.x=3: 'name' is \"mine\" and has no keys of its own"


def test_overrides_that_are_at_odds_are_named_with_the_file(mine: Path) -> None:
    sentence = complaint(mine, "rounds.clients_per_round=101")
    assert sentence.startswith(f"{mine} with --set rounds.clients_per_round=101: ")
    assert "more than the 100 of partition.clients" in sentence


def test_bad_yaml_names_file_and_line(mine: Path) -> None:
    mine.write_text(EXPERIMENT + "rounds: {count: 3\n")
    assert complaint(mine).startswith(f"{mine}, line 9: this is not valid YAML: ")


def test_a_file_that_is_no_group_of_keys_is_refused(mine: Path) -> None:
    mine.write_text("- a\n- b\n")
    assert "a profile is a group of keys" in complaint(mine)
    mine.write_bytes(b"name: \xff")
    assert "is not UTF-8 text" in complaint(mine)


def test_an_encoder_is_named_by_its_hub_id_or_its_folder(tmp_path: Path) -> None:
    (tmp_path / "my encoder").mkdir()
    by_id = library.load_experiment("quickstart", ["model=google/electra-base-discriminator"]).model
    assert (by_id.name, by_id.hub, by_id.folder) == (
        "electra-base-discriminator",
        "google/electra-base-discriminator",
        None,
    )
    by_folder = library.load_experiment("quickstart", [f"model={tmp_path}/my encoder"]).model
    assert (by_folder.name, by_folder.folder, by_folder.hub) == ("my-encoder", str(tmp_path / "my encoder"), None)


BASED = "base: my.yaml\nname: other\ndescription: What differs.\n"


@pytest.fixture
def other(mine: Path) -> Path:
    """An experiment that stands on :func:`mine`."""
    path = mine.parent / "other.yaml"
    path.write_text(BASED)
    return path


def test_an_experiment_says_only_what_differs_from_its_base(mine: Path, other: Path) -> None:
    mine.write_text(EXPERIMENT + "rounds: {count: 3, clients_per_round: 2}\nmethods: {federa: {rank: 4, lr: 1e-3}}\n")
    other.write_text(BASED + "rounds: {count: 5}\nmethods: {federa: {lr: 1e-4}, fedlr: {rank: 8}}\n")
    experiment = library.load_experiment(str(other), ["rounds.deadline_s=9"])
    assert (experiment.name, experiment.model.name, experiment.link.name) == ("other", "m", "wire")
    assert (experiment.rounds.count, experiment.rounds.clients_per_round, experiment.rounds.deadline_s) == (5, 2, 9)
    assert (experiment.method("federa").rank, experiment.method("federa").lr) == (4, 1e-4)
    assert experiment.method("fedlr").rank == 8
    assert library.load_experiment(str(mine)).rounds.count == 3


def test_a_part_and_a_list_replace_the_base_s(mine: Path, other: Path) -> None:
    mine.write_text(
        EXPERIMENT.replace("{name: wire}", "{name: wire, rate_mbps: 8}") + "target: {fractions: [0.5, 1]}\n"
    )
    other.write_text(BASED + "link: {name: flat, latency_s: 1}\ntarget: {fractions: [0.9]}\n")
    experiment = library.load_experiment(str(other))
    assert (experiment.link.rate_mbps, experiment.link.latency_s) == (None, 1)
    assert experiment.target.fractions == (0.9,)


def test_parts_of_a_base_are_relative_to_the_base(mine: Path) -> None:
    (mine.parent / "slow.yaml").write_text("name: slow\nrate_mbps: 1")
    mine.write_text(EXPERIMENT.replace("{name: wire}", "./slow.yaml"))
    deeper = mine.parent / "deeper"
    deeper.mkdir()
    (deeper / "other.yaml").write_text(BASED.replace("my.yaml", "../my.yaml"))
    assert library.load_experiment(str(deeper / "other.yaml")).link.rate_mbps == 1


def test_name_and_description_are_never_the_base_s(other: Path) -> None:
    other.write_text("base: my.yaml\nname: other\n")
    assert complaint(other).startswith(f"{other}: key 'description' is missing")
    other.write_text("base: my.yaml\ndescription: Nameless.\n")
    assert complaint(other).startswith(f"{other}: key 'name' is missing")


def test_a_wrong_key_names_the_file_that_sets_it(mine: Path, other: Path) -> None:
    mine.write_text(EXPERIMENT + "rounds: {count: 0}\n")
    assert complaint(other).startswith(f"{mine}: key 'rounds.count' is 0")
    other.write_text(BASED + "rounds: {coutn: 5}\n")
    assert complaint(other).startswith(f"{other}: key 'rounds.coutn' is unknown; did you mean 'count'?")
    mine.write_text(EXPERIMENT + "target: {fractions: [0.9, 2]}\n")
    other.write_text(BASED)
    assert complaint(other).startswith(f"{mine}: key 'target.fractions[1]' is 2")


def test_what_the_two_files_put_together_is_at_odds_in_the_one_on_top(mine: Path, other: Path) -> None:
    mine.write_text(EXPERIMENT + "partition: {clients: 20}\n")
    other.write_text(BASED + "rounds: {clients_per_round: 21}\n")
    assert complaint(other).startswith(f"{other}: rounds.clients_per_round is 21, more than the 20")


@pytest.mark.parametrize(
    ("base", "sentence"),
    [
        ("3", "key 'base' is 3; allowed is the name of an experiment or the path of its file"),
        ("quickstrat", "key 'base': there is no experiment profile 'quickstrat'; did you mean 'quickstart'?"),
        ("no.yaml", "key 'base': there is no profile file"),
        ("other.yaml", "key 'base' is 'other.yaml', which stands on this file itself"),
    ],
)
def test_a_base_that_cannot_be_one_is_refused(other: Path, base: str, sentence: str) -> None:
    other.write_text(BASED.replace("my.yaml", base))
    assert complaint(other).startswith(f"{other}: {sentence}")


def test_two_files_that_stand_on_each_other_are_refused(mine: Path, other: Path) -> None:
    mine.write_text("base: other.yaml\nname: mine\ndescription: Both ways.\n")
    assert complaint(other).startswith(f"{mine}: key 'base' is 'other.yaml', which stands on this file itself")
