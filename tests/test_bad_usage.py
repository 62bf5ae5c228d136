"""Bad input ends in one clear sentence, the right exit code, and no traceback."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from benchtools import NULL, TINY, bench


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", TINY, "--method", "fedxx"], ["fedxx", "federa"]),
        (["run", "quikstart"], ["quikstart", "quickstart"]),
        (["run", TINY, "--set", "rounds.coutn=3"], ["rounds.coutn", "count"]),
        (["run", TINY, "--set", "partition.alpha=-1"], ["partition.alpha", "above 0"]),
        (["run", TINY, "--set", "rounds.count=many"], ["rounds.count"]),
        (["run", TINY, "--set", "rounds.clients_per_round=81"], ["clients_per_round", "80"]),
        (["run", TINY, "--data", "nowhere"], ["nowhere", "no such folder"]),
        (["run", TINY, "--rounds", "0"], ["rounds"]),
        (["resume", "nowhere"], ["nowhere"]),
        (["report", "nowhere"], ["nowhere"]),
        (["frobnicate"], ["frobnicate"]),
        (["compare", TINY, "--methods", " "], ["--methods"]),
    ],
)
def test_bad_usage_is_exit_code_2_and_one_sentence(arguments: list[str], words: list[str], tmp_path: Path) -> None:
    result = bench(*arguments, cwd=tmp_path)
    assert result.returncode == 2, result.stderr
    assert "Traceback" not in result.stderr
    assert all(word in result.stderr for word in words), result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "runs").exists()


def test_a_missing_column_is_named_with_those_there_are(tmp_path: Path) -> None:
    for split in ("train", "test"):
        pd.DataFrame({"body": ["a", "b"], "label": ["x", "y"]}).to_parquet(tmp_path / f"20newsgroups_{split}.parquet")
    result = bench("run", TINY, "--set", "dataset=20newsgroups", "--data", str(tmp_path), cwd=tmp_path)
    assert result.returncode == 2
    assert "'text'" in result.stderr
    assert "body" in result.stderr


def test_a_port_in_use_is_said_at_once(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        endpoint = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        result = bench("run", TINY, *NULL, "--bind", endpoint, cwd=tmp_path)
    assert result.returncode == 1
    assert "in use" in result.stderr
    assert "--bind" in result.stderr
    assert "Traceback" not in result.stderr


def test_no_agent_in_time_is_exit_code_3(tmp_path: Path) -> None:
    result = bench("run", TINY, *NULL, "--external", "--set", "agents.join_timeout_s=0.3", cwd=tmp_path)
    assert result.returncode == 3
    assert "federa-bench agent --connect" in result.stderr


def test_a_package_that_an_extra_brings_is_named_with_the_extra(tmp_path: Path) -> None:
    bare = "import sys; sys.modules['numpy'] = None; from harness.cli import main; sys.exit(main(['run', sys.argv[1]]))"
    line = [sys.executable, "-c", bare, TINY]
    result = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "package numpy is not installed here; install: pip install 'federa-bench[controller]'" in result.stderr


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    result = bench("run", TINY, "--method", "fedxx", "--debug", cwd=tmp_path)
    assert "Traceback" in result.stderr


def test_a_dry_run_starts_nothing_and_says_what_it_would_do(tmp_path: Path) -> None:
    result = bench("run", TINY, "--dry-run", cwd=tmp_path)
    assert result.returncode == 0
    assert "federa" in result.stdout
    assert "nothing was started" in result.stdout
    assert list(tmp_path.iterdir()) == []


def test_print_config_shows_the_resolved_profile_with_overrides(tmp_path: Path) -> None:
    result = bench("run", TINY, "--print-config", "--set", "methods.federa.lr=1e-3", cwd=tmp_path)
    assert '"lr": 0.001' in result.stdout
    assert '"profile_sha256"' in result.stdout


@pytest.mark.parametrize("asked", [["--dry-run"], ["--print-config"], []])
def test_an_experiment_that_is_none_for_a_method_is_refused_however_it_is_asked_for(
    tmp_path: Path, asked: list[str]
) -> None:
    result = bench("run", TINY, "--method", "fedsa", *asked, cwd=tmp_path)
    assert result.returncode == 2
    assert "fedsa keeps B and the head at each client" in result.stderr
    assert result.stdout == ""
    assert list(tmp_path.iterdir()) == []
