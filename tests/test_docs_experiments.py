"""docs/experiments.md shows each experiment of the paper with a command, and each of these commands can be run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from profile_commands import make, profile_of

from harness.cli import main
from harness.library import load_experiment, profiles_root

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "experiments.md").read_text(encoding="utf-8")
PROSE = re.sub(r"^```.*?^```", "", PAGE, flags=re.DOTALL | re.MULTILINE)
CODE = [" ".join(code.strip("`").split()) for code in re.findall(r"^    .*$|`[^`]+`", PROSE, re.MULTILINE)]
COMMANDS = [code for code in CODE if code.startswith(("make compare ", "federa-bench sweep "))]
PAPER = [path.stem for path in (profiles_root() / "experiments").glob("*.yaml") if path.stem.startswith("table5-")]


OWN = {re.findall("^name: (.*)$", text, re.M)[0]: text for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)}
"""The page's examples of profiles, by their names."""


def profiles_of(command: str) -> list[str]:
    """The experiments that a command names: a comparison may have several."""
    return profile_of(command)[0].split()


def words_of(command: str) -> list[str]:
    """The words that federa-bench gets, also where make is asked."""
    if not command.startswith("make "):
        return shlex.split(command)[1:]
    asked = make("-n", *shlex.split(command)[1:])
    assert asked.returncode == 0, asked.stderr
    return shlex.split(asked.stdout.splitlines()[-1])[1:]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_can_be_run(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in ("parquet", "data", "models"):
        (tmp_path / folder).mkdir()
    for name, text in OWN.items():
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
        command = command.replace(f" {name}.yaml", f" {tmp_path}/{name}.yaml")
    words = words_of(command.replace("path/to", str(tmp_path)))
    assert main([*words, "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert [name for name in profiles_of(command) if Path(name).stem not in shown] == []


def test_every_experiment_that_is_for_the_paper_is_on_the_page() -> None:
    shown = {name for command in COMMANDS for name in profiles_of(command)}
    assert len(PAPER) == 6
    assert set(PAPER) <= shown
    for path in (profiles_root() / "experiments").glob("*.yaml"):
        experiment = load_experiment(path.stem)
        if experiment.fleet == "virtual" and experiment.device.seconds:  # those the paper measured
            assert path.stem in shown, f"{path.stem} is not on the page"


def test_the_page_s_example_of_a_base_is_an_experiment(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(OWN["half-skewed"], encoding="utf-8")
    own, base = load_experiment(str(tmp_path / "own.yaml")), load_experiment("20news-roberta-micro")
    assert (own.partition.alpha, own.method("federa").lr) == (0.5, 1e-3)
    assert (own.partition.clients, own.method("fedlr")) == (base.partition.clients, base.method("fedlr"))


def test_the_page_s_example_of_own_data_is_timed_as_the_paper_s(tmp_path: Path) -> None:
    for name, text in OWN.items():
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    own = load_experiment(str(tmp_path / "my-reviews.yaml"))
    assert (own.dataset.parquet, own.setting("federa").dataset) == ("reviews", "20newsgroups")
    assert (own.fleet, own.partition.clients, own.target.value) == ("virtual", 20, 0.7)
