"""What docs/aggregation.md, privacy.md and export.md show can be run, and their tables are what the code does."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
import run_folders
from profile_commands import make

from harness import options
from harness.cli import main
from harness.errors import ProfileError
from harness.learning.forms import form_of
from harness.library import load_experiment
from harness.profiles import MethodProfile, PrivacyProfile

ROOT = Path(__file__).parent.parent
PAGE, PRIVACY, EXPORT = (
    (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8") for name in ("aggregation", "privacy", "export")
)
COMMANDS = re.findall(r"^    ((?:make|federa-bench) (?:compare|sweep|run) .*)$", f"{PAGE}\n{PRIVACY}", re.MULTILINE)
REFUSED = "federa-bench run quickstart-aggregation --method fedsa --fleet zeromq"
HALF_MB = 24 * 32 * 768 * 4 / 1e6


def words_of(command: str) -> list[str]:
    """The words that federa-bench gets, also where make is asked."""
    if not command.startswith("make "):
        return shlex.split(command)[1:]
    asked = make("-n", *shlex.split(command)[1:])
    assert asked.returncode == 0, asked.stderr
    return shlex.split(asked.stdout.splitlines()[-1])[1:]


def rows(page: str, first: str) -> dict[str, list[str]]:
    """The cells of the table whose heading begins so, by those of its first column."""
    table = page.partition(f"\n| {first}")[2].partition("\n\n")[0].splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table]
    return {row[0]: row[1:] for row in cells}


def named(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_can_be_run(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in ("parquet", "models"):
        (tmp_path / folder).mkdir()
    words = [*words_of(command.replace("path/to", str(tmp_path))), "--dry-run"]
    if command == REFUSED:
        assert main(words) == 2
        assert "fedsa keeps B and the head at each client" in capsys.readouterr().err
        return
    assert main(words) == 0
    assert words[1] in capsys.readouterr().out


def test_runs_of_several_multipliers_make_one_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [words] = [line.split()[1:] for line in re.findall(r"^    (federa-bench report .*)$", PRIVACY, re.MULTILINE)]
    for run in run_folders.write_demo(tmp_path / "made", methods=("fedlr", "federa")):
        (tmp_path / "runs").mkdir(exist_ok=True)
        run.rename(tmp_path / "runs" / f"fra-sst2-minilm-private-{run.name}")
    monkeypatch.chdir(tmp_path)
    found = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.glob(words[1]))
    assert len(found) == 2
    assert main([words[0], *found, *words[2:]]) == 0
    assert (tmp_path / "privacy" / "report.html").is_file()


def test_every_experiment_on_aggregation_is_shown_with_its_command() -> None:
    shown = {words_of(command)[1] for command in COMMANDS}
    there = {path.stem for path in (ROOT / "profiles" / "experiments").glob("fra-*.yaml")}
    assert there | {"quickstart-aggregation"} <= shown


def test_the_table_of_methods_has_them_all_in_their_order() -> None:
    assert [named(method)[0] for method in rows(PAGE, "method | what the server")] == list(
        options.GROUPS["aggregation"]
    )


def test_its_bytes_are_those_of_the_forms() -> None:
    """How many of a layer's two factors go each way in round 2, and 4.72 MB are both of RoBERTa-base's 24 layers."""
    told = {
        method: (float(row[0].split(",")[0]), float(re.split(r"[,:]", row[1])[0]))
        for cell, row in rows(PAGE, "method | up | down |").items()
        for method in named(cell)
        if method not in ("ranks", "scaffold", "hetlora") and "ranks" not in cell
    }
    for method in ("fedlr", "federa", "fra", "fra-ffa", "flexlora", "lora-fair", "ffa", "rolora", "fedsa", "fedsvd"):
        form = form_of(method, MethodProfile(), 2)  # type: ignore[arg-type]
        given = form.lean if form.lean is not None else form.given - form.kept
        up, down = (len({"A", "B"} & set(kinds)) * HALF_MB for kinds in (form.trained - form.kept, given))
        assert told[method] == (pytest.approx(up, abs=0.01), pytest.approx(down, abs=0.01)), method
    assert told["flora"] == (4.72, pytest.approx(10 * 2 * HALF_MB, abs=0.05))
    assert told["fedex"] == (4.72, pytest.approx(11 * 2 * HALF_MB, abs=0.05))
    assert told["slora"][0] == pytest.approx(0.06 * 24 * 768 * 768 * 4 / 1e6, abs=0.01)


@pytest.mark.parametrize("cell", rows(PAGE, "settings | why |"))
def test_what_the_page_says_is_refused_is(cell: str) -> None:
    [override] = named(cell)
    method = override.split(".")[1]
    with pytest.raises(ProfileError, match=f"methods.{method}: "):
        load_experiment("quickstart-aggregation", [override])


def test_the_keys_of_its_tables_are_there() -> None:
    for cell in rows(PAGE, "key | what it does"):
        value: Any = MethodProfile()
        for part in named(cell)[0].split("."):
            value = getattr(value, part)
    for key, row in rows(PAGE, "key | choices |").items():
        choices = get_args(get_type_hints(type(MethodProfile().fra))[named(key)[0]])
        assert set(choices) <= set(named(row[0])), key
    assert [named(key)[0] for key in rows(PRIVACY, "key of ")] == list(PrivacyProfile.__struct_fields__)


def test_the_table_of_exports_has_every_method() -> None:
    told = {name for cell in rows(EXPORT, "method | `--peft`") for name in named(cell)}
    assert {*options.GROUPS["all"], *options.GROUPS["aggregation"]} - {"central"} <= told | {"central"}
