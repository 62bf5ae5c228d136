"""What docs/devices.md says: its commands exist with their options, those that can run here do, its table is whole."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from functools import cache
from pathlib import Path

import device_runs
import pytest
from benchtools import command
from profile_commands import ROOT, make

from harness.deploy import places
from harness.doctor import SCHEMA, examine
from harness.doctor.verdicts import system
from harness.transport.server import DESCRIPTORS

PAGE = (ROOT / "docs" / "devices.md").read_text(encoding="utf-8")
LINES = [line.strip() for line in PAGE.replace("\\\n", "").splitlines() if re.match(r" {4}(?: {4})?\S", line)]
SHELL = {'"$(id -gn)"': "users", '"$(command -v federa-bench)"': "federa-bench"}
"""What a shell puts in."""


def ours() -> list[list[str]]:
    """The words of each command of this project, whatever starts it."""
    plain = LINES
    for written, meant in SHELL.items():
        plain = [line.replace(written, meant) for line in plain]
    found = [re.search(r"(?:^|/bin/|sudo )federa-bench (.*)$", line) for line in plain]
    return [shlex.split(one[1]) for one in found if one]


OURS = ours()
ADDRESS = "tcp://controller.example:5555"


@cache
def help_of(subcommand: str) -> str:
    plain = {**os.environ, "COLUMNS": "200", "TERM": "dumb", "NO_COLOR": "1"}
    answer = subprocess.run(command(subcommand, "--help"), capture_output=True, text=True, env=plain, check=True)
    return answer.stdout


def test_it_has_the_commands_of_every_step() -> None:
    assert [words[0] for words in OURS] == [
        "keys",
        "doctor",
        "doctor",
        "doctor",
        "run",
        "run",
        "shaper",
        "run",
        "report",
        "export",
    ]


@pytest.mark.parametrize("words", OURS, ids=" ".join)
def test_each_command_has_the_options_that_it_is_given(words: list[str]) -> None:
    shown = help_of(words[0])
    assert [word for word in words if word.startswith("--") and word not in shown] == []


def test_the_commands_of_the_server_work_in_their_order(tmp_path: Path) -> None:
    """Keys, the doctor, the dry runs, the report and the trace; a recorded run stands for one on a board."""
    environment = {**os.environ, "FEDERA_BENCH_KEYS": str(tmp_path / "keys")}
    device_runs.write(tmp_path / "runs/quickstart-federa-s0-20260131-142501", device_runs.run())
    done = []
    for words in OURS:
        if words[0] == "shaper" or "--connect" in words or "--beside" in words:
            continue  # it needs root and waits; that of the board is asked for below; so is the comparison
        dry = ["--dry-run"] if words[0] == "run" and "--dry-run" not in words else []
        result = subprocess.run(
            command(*words, *dry), cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert result.returncode == 0, f"{words}: {result.stdout}{result.stderr}"
        done.append(words[0])
    assert done == ["keys", "doctor", "run", "run", "run", "report", "export"]
    assert json.loads((tmp_path / "trace.json").read_text())


def test_versions_of_two_machines_are_put_beside_each_other(tmp_path: Path) -> None:
    told = subprocess.run(
        command("doctor", "--json", "--patience", "60"), cwd=tmp_path, capture_output=True, text=True, check=False
    ).stdout
    (tmp_path / "orin-01.json").write_text(told)
    [words] = [words for words in OURS if "--beside" in words]
    shown = subprocess.run(
        command(*words, "--json", "--patience", "60"), cwd=tmp_path, capture_output=True, text=True, check=False
    ).stdout
    assert json.loads(shown)["findings"][-1]["name"] == "versions"


def test_its_deployments_are_what_make_understands() -> None:
    deployments = [shlex.split(line)[1:] for line in LINES if line.startswith("make deploy")]
    assert [words[-1] for words in deployments] == ["DRY_RUN=1", f"CONTROLLER={ADDRESS}"]
    for words in deployments:
        [said] = [
            line for line in make("-n", *words).stdout.splitlines() if "deploy" in line and "federa-bench" in line
        ]
        assert "ada@orin-01" in said
        assert f'--controller "{ADDRESS}"' in said
        assert ("--dry-run" in said) == ("DRY_RUN=1" in words)


def test_paths_on_a_board_are_those_of_a_deployment() -> None:
    [line] = [" ".join(line.split()) for line in LINES if line.startswith("sudo systemd-run ")]
    assert f"{places.CURRENT}/bin/federa-bench doctor" in line
    assert f"--folder {places.STATE}/orin-01 " in line
    assert f'-p User={places.USER} -p SupplementaryGroups="{" ".join(places.GROUPS)}" ' in line
    assert f"-p LoadCredential=agent.secret:{places.secret_of('orin-01')} " in line
    assert f"-p LoadCredential=controller.public:{places.CONTROLLER_KEY} " in line


def test_its_table_has_a_row_for_each_line_of_the_doctor() -> None:
    table = PAGE.partition("## What the doctor says")[2]
    rows = {line.split(" | ")[0].strip("| "): line for line in table.splitlines() if line.startswith("| ")}
    rows.pop("line")
    assert list(rows) == sorted(rows, key=list(rows).index)
    assert set(rows) == {one.name for one in examine("agent", patience_s=60.0)}
    gib = {role: [size // system.GIB for size in sizes] for role, sizes in system.LEAST_DISK.items()}
    assert f"agent under {gib['agent'][1]} GiB, controller under {gib['controller'][1]} GiB" in rows["disk"]
    assert f"under {gib['agent'][0]} and {gib['controller'][0]} GiB" in rows["disk"]
    assert f"{DESCRIPTORS:,} for a controller" in rows["descriptors"]
    assert f"`schema` ({SCHEMA})" in table
