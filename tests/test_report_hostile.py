"""What agents and devices call themselves is shown as it is, and nothing of it is run, calculated or obeyed."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import hostile_runs
import pytest
from playwright.sync_api import Browser
from report_pages import ALL_DRAWN, WIDE, comes_true, needs_browser, opened

from analysis import cli, export_command
from analysis.export.files import plates, write_figures
from analysis.load import load_runs
from analysis.report import write_report, write_tables


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the run, its report, tables and figures."""
    folder = tmp_path_factory.mktemp("hostile")
    hostile_runs.write(folder / "run")
    runs = load_runs([folder / "run"]).runs
    write_tables(runs, folder / "tables")
    write_figures(plates(runs), folder / "figures", None)
    write_report(runs, folder / "report.html")
    return folder


@needs_browser
def test_no_word_of_an_agent_runs_in_the_report(browser: Browser, folder: Path) -> None:
    page, seen = opened(browser, folder / "report.html", WIDE)
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    assert comes_true(page, ALL_DRAWN)
    for place in page.locator(".plot .nsewdrag").all()[:12]:
        place.hover(force=True)  # words on hover are drawn only then
    assert page.evaluate("window.owned") is None
    assert (seen.console, seen.requests) == ([], [(folder / "report.html").as_uri()])
    assert hostile_runs.TAG in page.locator("main").inner_text()
    page.close()


@needs_browser
def test_no_word_of_an_agent_runs_in_a_figure_of_its_own(browser: Browser, folder: Path) -> None:
    for figure in sorted((folder / "figures").glob("round-*.html")):
        page, seen = opened(browser, figure, WIDE)
        assert page.evaluate("window.owned") is None
        assert seen.console == []
        page.close()


def test_no_cell_of_a_csv_is_a_formula(folder: Path) -> None:
    cells = [
        cell
        for table in (folder / "tables").glob("*.csv")
        for row in csv.reader(table.read_text().splitlines())
        for cell in row
    ]
    assert any(cell.startswith("'=HYPERLINK") for cell in cells)
    assert [cell for cell in cells if cell[:1] in "=+@" and cell[:1]] == []


def test_nothing_moves_the_cursor_of_a_terminal(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([str(folder / "run"), "--out", str(folder / "again")]) == 0
    said = capsys.readouterr().out
    assert "=HYPERLINK" in said
    assert {mark for mark in said if not mark.isprintable()} <= {"\n", "\N{NO-BREAK SPACE}"}


def test_a_trace_is_json_whose_moments_a_viewer_can_count(folder: Path) -> None:
    out = folder / "trace.json"
    assert export_command.main([str(folder / "run"), "--trace", str(out)]) == 0
    trace = json.loads(out.read_text(), parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    moments = [event["ts"] for event in trace["traceEvents"] if "ts" in event]
    assert len(moments) > 50
    assert all(abs(moment) < 2**53 for moment in moments)
    assert all(event.get("dur", 0) >= 0 for event in trace["traceEvents"])
    assert trace["otherData"]["tasks_placed_by_arrival"] == 3
    watts = [event["args"]["W"] for event in trace["traceEvents"] if event["ph"] == "C"]
    assert watts
    assert all(isinstance(each, float) for each in watts)
