"""What the documents say is there, is there: commands, targets, variables, links, the files on the map."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from profile_commands import ROOT, make

DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
CODE = re.compile(r"^    .*$|`[^`]+`", re.MULTILINE)


def code_of(path: Path) -> list[str]:
    """The code spans and the indented lines of a document, each with its line breaks taken out."""
    prose = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return [" ".join(found.strip("`").split()) for found in CODE.findall(prose)]


def commands(name: str) -> list[list[str]]:
    """Every command of that name in the documents, with its words."""
    found = [code for path in DOCUMENTS for code in code_of(path) if code.startswith(f"{name} ")]
    assert found, f"no document says {name}"
    return [re.sub(r"\s#.*", "", code).split() for code in found]


@cache
def help_of(*subcommand: str) -> str:
    code = "import sys; from harness.cli import main; sys.exit(main())"
    plain = {**os.environ, "COLUMNS": "200", "TERM": "dumb", "NO_COLOR": "1"}
    line = [sys.executable, "-c", code, *subcommand, "--help"]
    answer = subprocess.run(line, capture_output=True, text=True, env=plain, cwd=ROOT, check=False)
    return answer.stdout if answer.returncode == 0 else ""


def test_every_make_command_is_a_target() -> None:
    for words in commands("make"):
        result = make("-n", words[1], "RUNS=x")
        assert result.returncode == 0, f"make {words[1]}: {result.stderr}"


def test_every_make_variable_is_one_that_the_makefile_reads() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    variables = {
        word.partition("=")[0] for words in commands("make") for word in words[2:] if re.match("[A-Z]+=", word)
    }
    assert variables >= {"METHOD", "METHODS", "PROFILE", "DATA", "MODELS", "ROUNDS", "RUNS"}
    assert [name for name in sorted(variables) if f"$({name})" not in makefile] == []


def test_every_command_of_federa_bench_is_there_with_its_options() -> None:
    for words in commands("federa-bench"):
        text = help_of(words[1])
        assert text, f"federa-bench {words[1]} is no command"
        for option in (word for word in words if word.startswith("--")):
            assert option in text, f"federa-bench {words[1]} has no {option}"


def test_every_command_of_federa_bench_is_documented() -> None:
    listed = re.findall(r"^\W*([a-z]+)  ", help_of().partition("Commands")[2], re.MULTILINE)
    assert {"run", "compare", "resume"} <= set(listed)
    text = " ".join(path.read_text(encoding="utf-8") for path in DOCUMENTS)
    assert [name for name in listed if not re.search(rf"\b{name}\b", text)] == []


def test_make_help_shows_every_target() -> None:
    shown = make("help").stdout
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z]+):", makefile, re.MULTILINE)
    assert len(targets) >= 10
    assert [name for name in targets if f"  make {name} " not in shown] == []


def test_make_passes_its_variables_on_as_options() -> None:
    printed = make(
        "-n", "bench", "METHOD=fedlr", "PROFILE=null", "SEED=3", "ROUNDS=5", "SET=a.b=c d=e", "DATA=x/y"
    ).stdout
    words = printed.splitlines()[-1].replace('"', "").split()
    assert words[1:5] == ["run", "null", "--method", "fedlr"]
    assert words[5:] == ["--seed", "3", "--data", "x/y", "--rounds", "5", "--set", "a.b=c", "--set", "d=e"]


def test_make_clean_leaves_runs_and_the_environment_alone() -> None:
    printed = make("-n", "clean").stdout
    removed = printed.splitlines()[0].removeprefix("rm -rf ").split()
    assert ".mypy_cache" in removed
    assert not {"runs", "runs/", ".venv", ".", "*"} & set(removed)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(path: Path) -> None:
    links = re.findall(r"\]\((?!https?://)([^)#]+)", path.read_text(encoding="utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_every_file_on_the_map_is_there() -> None:
    named = re.findall(r"\b[\w/]+\.py\b", (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8"))
    there = [
        str(path.relative_to(ROOT))
        for folder in ("harness", "agents", "analysis", "tests")
        for path in (ROOT / folder).rglob("*.py")
    ]
    assert len(named) > 40
    assert [name for name in named if not any(f"/{path}".endswith(f"/{name}") for path in there)] == []


def test_the_version_of_the_changelog_is_that_of_the_package() -> None:
    versions = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    declared = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    assert declared is not None
    assert versions[0] == "Unreleased"
    assert versions[1:2] in ([], [declared.group(1)])
