"""The report of runs on devices in a real browser: energy, devices, and rounds over time."""

from __future__ import annotations

from pathlib import Path

import device_runs
import pytest
from playwright.sync_api import Browser, ViewportSize
from report_pages import ALL_DRAWN, CONTRAST, NARROW, NO_SIDEWAYS, WIDE, comes_true, needs_browser, opened

from analysis.load import load_runs
from analysis.report import write_report, write_tables

pytestmark = needs_browser

MEBIBYTE = 2**20


@pytest.fixture(scope="module")
def devices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of three methods on three boards, read from their folders."""
    folder = tmp_path_factory.mktemp("devices")
    for method in device_runs.SPEED:
        device_runs.write(folder / "runs" / method, device_runs.run(method))
    runs = load_runs([folder / "runs"]).runs
    write_tables(runs, folder / "tables")
    return write_report(runs, folder / "report.html")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_energy_devices_and_rounds_over_time_are_drawn_and_fit(
    browser: Browser, devices: Path, size: ViewportSize, scheme: str
) -> None:
    page, seen = opened(browser, devices, size, scheme)
    page.locator("#phases details summary").click()
    assert comes_true(page, ALL_DRAWN)
    assert (seen.console, seen.requests) == ([], [devices.as_uri()])
    assert page.evaluate(NO_SIDEWAYS)
    rounds = page.locator("#phases details .plot")
    assert rounds.count() == 6
    for plot in rounds.all():
        width, drawn = plot.evaluate(
            "plot => [plot.clientWidth, plot.querySelector('.main-svg').getBoundingClientRect().width]"
        )
        assert width > 250
        assert abs(width - drawn) <= 1
    for selector in ("#energy .note", "#agents td", "#energy-by-method .ytick text", "#phases details .ytick text"):
        assert page.locator(selector).first.evaluate(CONTRAST) >= 4.5, selector
    page.close()


def test_of_a_single_run_the_axis_s_title_leaves_its_numbers_alone_and_the_doctor_s_words_are_in_sight(
    browser: Browser, tmp_path: Path
) -> None:
    made = device_runs.run("federa", lost=False)
    for told in made.header.devices.values():
        told.get("device", {})["gpu_governor"] = "nvhost_podgov"
    report = write_report([made], tmp_path / "report.html")
    page, _ = opened(browser, report, WIDE)
    edges = """plot => [Math.max(...[...plot.querySelectorAll('.xtick')].map(t => t.getBoundingClientRect().bottom)),
      plot.querySelector('.xtitle').getBoundingClientRect().top]"""
    numbers_end, title_begins = page.locator("#energy-by-method").evaluate(edges)
    assert title_begins >= numbers_end - 1
    wide = "table => [table.scrollWidth, table.parentElement.clientWidth]"
    needed, there = page.locator("#agents table").first.evaluate(wide)
    assert needed <= there
    page.close()


def test_a_phase_is_hidden_in_rounds_over_time_too(browser: Browser, devices: Path) -> None:
    page, _ = opened(browser, devices, WIDE)
    page.locator("#phases details summary").click()
    assert comes_true(page, ALL_DRAWN)
    waits = """[...document.querySelectorAll('#phases details .plot')].every(plot => plot.data.some(
      trace => trace.meta.phase === 'wait_s' && trace.visible WORD 'legendonly'))"""
    assert page.evaluate(waits.replace("WORD", "!=="))
    page.locator("#phases button[data-phase='wait_s']").click()
    assert comes_true(page, waits.replace("WORD", "==="))
    page.close()


def test_each_agent_has_a_row_and_its_bars_do_not_leave_the_round(browser: Browser, devices: Path) -> None:
    page, _ = opened(browser, devices, NARROW)
    page.locator("#phases details summary").click()
    assert comes_true(page, ALL_DRAWN)
    plot = page.locator("#phases details .plot").first
    rows = plot.locator(".ytick text").all_text_contents()
    assert rows[::-1] == ["orin-01", "orin-02", "orin-03", "controller"]  # drawn from below
    ends = plot.evaluate("p => p.data.flatMap(t => t.base.map((from, at) => from + t.x[at]))")
    assert max(ends) <= plot.evaluate("p => p.layout.xaxis.range[1]") * 1.0001
    page.close()


def test_a_report_of_devices_is_hardly_larger_than_one_without(devices: Path, tmp_path: Path) -> None:
    bare = [device_runs.without_stamps(run) for run in load_runs([devices.parent / "runs"]).runs]
    without = write_report(
        [type(run)(run.header, run.rounds, run.clients, run.path) for run in bare], tmp_path / "x.html"
    )
    assert devices.stat().st_size - without.stat().st_size < MEBIBYTE // 8
