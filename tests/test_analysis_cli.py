"""The command: where it writes, what it prints, and how it says what is wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import run_folders

from analysis.cli import main


def test_one_run_gets_its_report_and_tables_into_its_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = run_folders.write(tmp_path / "run", run_folders.run((0.5, 0.73)))
    assert main([str(folder)]) == 0
    printed = capsys.readouterr().out
    assert "8.00 (2)" in printed
    assert "warning: FeDeRA did not reach 95 % and 99 %" in printed
    assert f"report: {folder / 'report.html'}" in printed
    assert (folder / "report.html").exists()
    assert (folder / "tables" / "time-to-target.csv").exists()


def test_null_runs_are_shown_by_what_they_measure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    null = run_folders.experiment(train={"trainer": "null"})
    folder = run_folders.write(tmp_path / "run", run_folders.run((None, None), of=null))
    assert main([str(folder)]) == 0
    printed = capsys.readouterr().out
    assert "Seconds per round" in printed
    assert "Time to 90 %" not in printed


def test_several_runs_share_one_report_whose_place_does_not_change(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = run_folders.write_demo(tmp_path / "runs", ["fedlr", "federa"])
    assert main([str(folder) for folder in folders]) == 0
    assert main([str(folder) for folder in reversed(folders)]) == 0
    assert main([str(tmp_path / "runs")]) == 0
    (page,) = (tmp_path / "runs" / "reports").glob("*/report.html")
    assert page.parent.name.startswith("fedlr-federa-")
    assert capsys.readouterr().out.count(f"report: {page}") == 3


@pytest.mark.parametrize(("out", "page"), [("there", "there/report.html"), ("there/mine.html", "there/mine.html")])
def test_out_is_a_folder_or_a_file(tmp_path: Path, out: str, page: str) -> None:
    folder = run_folders.write(tmp_path / "run", run_folders.run())
    assert main([str(folder), "--out", str(tmp_path / out), "--no-tables"]) == 0
    assert (tmp_path / page).exists()
    assert [path.name for path in (tmp_path / "there").iterdir()] == [Path(page).name]


def test_json_is_rows_of_raw_values(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = run_folders.write(tmp_path / "run", run_folders.run((0.5, 0.73)))
    assert main([str(folder), "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["method"], row["to_90_s"], row["to_90_round"], row["to_99_s"]) == ("federa", 8.0, 2, None)


def test_each_target_is_printed_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder,) = run_folders.write_demo(tmp_path, ["federa"], of=run_folders.QUESTIONS)
    (folder / "tables").mkdir()
    (folder / "tables" / "time-to-target-accuracy.csv").write_text("of an earlier report")
    assert main([str(folder)]) == 0
    printed = capsys.readouterr().out
    assert printed.index("99 % of exact match 0.65") < printed.index("99 % of F1 0.8")
    written = sorted(path.name for path in (folder / "tables").glob("time-to-target*.csv"))
    assert written == ["time-to-target-f1.csv", "time-to-target.csv"]
    assert main([str(folder), "--json"]) == 0
    assert [row["metric"] for row in json.loads(capsys.readouterr().out)] == ["exact_match", "f1"]


def test_what_is_wrong_is_one_sentence_and_an_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    damaged = run_folders.write(tmp_path / "run", run_folders.run())
    (damaged / "header.json").write_text("{")
    for arguments, code, words in (
        ([str(tmp_path / "nowhere")], 2, "nowhere: there is no such folder"),
        ([str(damaged)], 1, "header.json is damaged"),
        ([], 2, "the following arguments are required: RUN"),
        ([str(damaged), "--unknown"], 2, "unrecognized arguments: --unknown"),
    ):
        assert main(arguments) == code
        printed = capsys.readouterr()
        assert printed.out == ""
        assert printed.err.startswith("federa-bench: ")
        assert printed.err.count("\n") == 1
        assert words in printed.err


def test_help_is_not_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert "usage: federa-bench report" in capsys.readouterr().out


def test_figures_go_beside_the_report_which_links_to_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = run_folders.write(tmp_path / "run", run_folders.run())
    assert main([str(folder), "--figures", "--formats", "html"]) == 0
    there = folder / "figures"
    assert (there / "metric-by-time.html").exists()
    assert (there / "figure-3-metric-by-round.html").exists()
    assert f"figures: {there} (" in capsys.readouterr().out
    assert 'href="figures/metric-by-time.html"' in (folder / "report.html").read_text()


def test_figures_go_where_they_are_told(tmp_path: Path) -> None:
    folder = run_folders.write(tmp_path / "run", run_folders.run())
    assert main([str(folder), "--figures", str(tmp_path / "there"), "--formats", "html"]) == 0
    assert (tmp_path / "there" / "metric-by-time.html").exists()
    assert not (folder / "figures").exists()


def test_without_a_browser_figures_are_pages_unless_others_were_asked_for(tmp_path: Path) -> None:
    """In a process of its own, whose path has no program on it."""
    folder = run_folders.write(tmp_path / "run", run_folders.run())

    def report(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "analysis", str(folder), *arguments]
        here = {"PATH": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[1])}
        return subprocess.run(command, env=here, capture_output=True, text=True, check=False)

    asked = report("--figures", "--formats", "svg")
    assert (asked.returncode, asked.stdout) == (2, "")
    assert "install chromium, or give --formats html" in asked.stderr
    assert not (folder / "report.html").exists()
    default = report("--figures", "--json")
    assert default.returncode == 0
    assert json.loads(default.stdout)
    assert "note: SVG and PNG files are drawn by a browser and there is none on the path" in default.stderr
    assert {file.suffix for file in (folder / "figures").iterdir()} == {".html", ".js"}


def test_formats_without_figures_are_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = run_folders.write(tmp_path / "run", run_folders.run())
    assert main([str(folder), "--formats", "html"]) == 2
    assert "--formats is of figures; give --figures too" in capsys.readouterr().err
