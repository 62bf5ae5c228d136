"""The command: what it writes and says, and how it says what is wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import device_runs
import pytest
import run_folders
from trace_rules import problems

from analysis.export_command import main


def test_a_run_becomes_a_trace_made_of_its_folder_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = device_runs.write(tmp_path / "run", device_runs.run(rounds=2))
    out = tmp_path / "new" / "trace.json"
    assert main([str(folder), "--trace", str(out)]) == 0
    assert problems(json.loads(out.read_bytes())) == []
    assert capsys.readouterr().out == f"trace: {out} (8 tasks); open it in ui.perfetto.dev\n"


def test_what_is_only_estimated_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = device_runs.without_stamps(device_runs.run(rounds=2))
    folder = device_runs.write(tmp_path / "run", old)
    assert main([str(folder), "--trace", str(tmp_path / "t.json")]) == 0
    assert "note: 8 tasks stand where their updates came in" in capsys.readouterr().out


def test_without_anything_to_export_or_a_place_in_time_the_command_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = run_folders.write(tmp_path / "run", run_folders.run(clients=[run_folders.client_record()]))
    assert main([str(folder)]) == 2
    assert "nothing was asked for; give --trace FILE" in capsys.readouterr().err
    assert main([str(folder), "--trace", str(tmp_path / "t.json")]) == 2
    assert "neither events.jsonl nor timelines" in capsys.readouterr().err
    assert main([str(tmp_path / "none"), "--trace", "t.json"]) == 2


def test_a_folder_in_the_place_of_the_file_is_bad_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = device_runs.write(tmp_path / "run", device_runs.run(rounds=1))
    assert main([str(folder), "--trace", str(tmp_path)]) == 2
    assert "a folder stands where a file should be" in capsys.readouterr().err


def test_help_comes_without_plotly_and_pyarrow() -> None:
    code = (
        "import sys; from analysis.export_command import main; code = main(['--help']);"
        "print([name for name in ('plotly', 'pyarrow', 'numpy') if name in sys.modules]); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("[]\n")
