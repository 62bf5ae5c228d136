"""The command line's words become an experiment, methods and folders, or one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import launch
from harness.errors import UsageError


def test_options_of_their_own_are_overrides_and_set_has_the_last_word() -> None:
    made = launch.experiment_of("quickstart", ["rounds.count=7"], rounds=5, agents=3, seed=2)
    assert (made.rounds.count, made.agents.count) == (7, 3)


def test_a_seed_moves_every_stream_but_the_partition() -> None:
    made = launch.experiment_of("quickstart", [], None, None, seed=2)
    assert {made.seeds.cohort, made.seeds.initialisation, made.seeds.training, made.seeds.link} == {2}
    assert made.seeds.partition == launch.experiment_of("quickstart", [], None, None, None).seeds.partition


def test_methods_are_a_list_of_names_or_all() -> None:
    assert launch.methods_of("fedlr, federa") == ["fedlr", "federa"]
    assert launch.methods_of("all") == ["fedft", "fedbf", "fedap", "fedlr", "federa"]


@pytest.mark.parametrize(("names", "words"), [("fedlora", "'fedlora' is unknown"), (" ", "names no method")])
def test_an_unknown_method_is_answered_with_the_choices(names: str, words: str) -> None:
    with pytest.raises(UsageError, match=f"{words}; choose from: fedft, "):
        launch.methods_of(names)


def test_a_named_folder_must_be_there(tmp_path: Path) -> None:
    launch.check_folders(tmp_path, None)
    with pytest.raises(UsageError, match=r"--models .*there is no such folder"):
        launch.check_folders(tmp_path, tmp_path / "nowhere")


def test_a_command_that_is_not_installed_is_named() -> None:
    with pytest.raises(UsageError, match="'paint' is not installed here"):
        launch.other_package("paint")
