"""The command: what it prints, where it writes, and how it says what is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import run_folders
import timed_runs
from timed_runs import timed_run

from analysis.load import Run
from analysis.retime.cli import main

PLAIN = timed_runs.experiment(model={"timed_as": None}, dataset={"timed_as": None})


def written(folder: Path, *runs: Run) -> Path:
    for run in runs:
        run_folders.write(folder / run.header.run_id, run)
    return folder


def test_one_run_is_retimed_beside_its_records(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = timed_run("federa", of=PLAIN)
    folder = written(tmp_path, run) / run.header.run_id
    assert main([str(folder), "--link", "lte-5"]) == 0
    page = folder / "retimed" / "lte-5" / "retime.html"
    printed = capsys.readouterr().out
    assert "Time to 90 %, 95 % and 99 % of accuracy 0.8, over lte-5" in printed
    assert printed.endswith(f"page: {page}\n")
    tables = {path.name for path in (page.parent / "tables").iterdir()}
    assert {f"retimed-times.{suffix}" for suffix in ("csv", "md", "tex")} <= tables


def test_the_same_conditions_find_the_same_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = written(tmp_path / "runs", timed_run("fedlr", of=PLAIN), timed_run("federa", of=PLAIN))
    for _ in range(2):
        assert main([str(folder), "--link", "lte-5", "--device", "orin-nano", "--wire", "int8"]) == 0
    page = folder / "retimed" / "fedlr-federa-lte-5-orin-nano-int8" / "retime.html"
    assert capsys.readouterr().out.count(f"page: {page}") == 2
    assert main([str(folder)]) == 0, "what was written does not look like a run"


def test_profiles_may_be_files_and_out_a_page(tmp_path: Path) -> None:
    folder = written(tmp_path / "runs", timed_run("federa", of=PLAIN))
    link = tmp_path / "slow.yaml"
    link.write_text("name: slow\nrate_mbps: 0.5\n")
    assert main([str(folder), "--link", str(link), "--out", str(tmp_path / "there" / "mine.html")]) == 0
    assert "made-up over slow" in (tmp_path / "there" / "mine.html").read_text(encoding="utf-8")


def test_json_is_raw_values_by_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = written(tmp_path, timed_run("federa", of=PLAIN))
    assert main([str(folder), "--link", "lte-5", "--json", "--out", str(tmp_path / "there")]) == 0
    tables = json.loads(capsys.readouterr().out)
    assert set(tables) == {"retimed-times", "retimed-crossovers", "retimed-rounds"}
    (row,) = tables["retimed-times"]
    assert (row["link"], row["to_90_round"]) == ("lte-5", 2)


def test_a_run_without_rounds_is_left_out_among_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = written(tmp_path, timed_run("fedlr", (), of=PLAIN), timed_run("federa", of=PLAIN))
    assert main([str(folder), "--link", "lte-5", "--out", str(tmp_path / "there")]) == 0
    assert "made-up-fedlr-0 has no round yet." in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--link", "lte5"], "there is no link profile 'lte5'; did you mean 'lte-5'?"),
        (["--device", "orin"], "there is no device profile 'orin'; "),
        (["--device", "lte-5.yaml"], "there is no profile file lte-5.yaml"),
        (["--link", "table8"], "link 'table8' has no seconds for federa of rank 32 on model 'tiny'"),
        (["--rates", "10:1"], "--rates 10:1: give the lowest and the highest rate in Mbit/s, as in --rates 1:1000"),
        (["--rates", "fast"], "--rates fast: give the lowest"),
        (["--rates", "1:inf"], "--rates 1:inf: give the lowest"),
        (["--wire", "float8"], "argument --wire: invalid choice: 'float8'"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    options: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = written(tmp_path, timed_run("federa", of=PLAIN))
    assert main([str(folder), *options]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert words in said.err
    assert said.err.count("\n") == 1


@pytest.mark.parametrize(
    ("metrics", "words"), [((), "has no round yet, so nothing can be retimed"), ((None, None), "was never evaluated")]
)
def test_runs_without_a_target_are_refused(
    metrics: tuple[None, ...], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = written(tmp_path, timed_run("federa", metrics, of=PLAIN))
    assert main([str(folder), "--link", "lte-5"]) == 2
    assert words in capsys.readouterr().err


def test_what_cannot_be_written_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = written(tmp_path / "runs", timed_run("federa", of=PLAIN))
    (tmp_path / "file").write_text("")
    assert main([str(folder), "--out", str(tmp_path / "file" / "there")]) == 2
    assert "cannot be written: a file stands where a folder should be" in capsys.readouterr().err
