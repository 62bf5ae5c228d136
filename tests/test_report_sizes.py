"""A report of one run, of twenty, of three hundred clients, and on paper."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
import run_folders
from playwright.sync_api import Browser, ViewportSize, expect
from report_pages import (
    ALL_DRAWN,
    CONTRAST,
    INK,
    NARROW,
    NO_SIDEWAYS,
    WIDE,
    comes_true,
    needs_browser,
    opened,
    questions_below,
)

from analysis.report import write_report
from harness import divergence

pytestmark = needs_browser


@pytest.fixture(scope="module")
def questions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return questions_below(tmp_path_factory.mktemp("questions"))


@pytest.fixture(scope="module")
def one_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report([run_folders.run()], tmp_path_factory.mktemp("one") / "report.html")


def test_one_run_needs_no_legend_of_methods_and_no_comparison(browser: Browser, one_run: Path) -> None:
    page, seen = opened(browser, one_run, NARROW)
    assert seen.console == []
    assert page.locator("button[data-method]").count() == 0
    assert page.locator(".standings, #milestones, #mean-round").count() == 0
    assert page.locator("#phases .plot, #curves .plot, #bytes .plot").count() == 5
    assert page.evaluate(NO_SIDEWAYS)
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_twenty_runs_fit(browser: Browser, twenty_runs: Path, size: ViewportSize, scheme: str) -> None:
    page, seen = opened(browser, twenty_runs, size, scheme)
    assert (seen.console, seen.requests) == ([], [twenty_runs.as_uri()])
    assert page.evaluate(NO_SIDEWAYS)
    assert page.locator("#curves button").count() == 4  # an entry a method, not a run
    colours = "[...new Set(document.querySelector('#metric-by-time .plot').data.map(trace => trace.line.color))].length"
    assert page.evaluate(colours) == 4
    assert page.locator("#summary").evaluate("part => part.getBoundingClientRect().height") < 2 * size["height"]
    folded = page.locator("#phases details")
    assert folded.locator(".main-svg").count() == 0
    folded.locator("summary").click()
    assert comes_true(page, ALL_DRAWN)
    assert folded.locator(".plot .main-svg").count() >= 20
    assert page.evaluate(NO_SIDEWAYS)
    assert seen.console == []
    page.close()


def test_print_is_light_of_the_page_s_width_and_without_the_contents(browser: Browser, twenty_runs: Path) -> None:
    page, _ = opened(browser, twenty_runs, ViewportSize(width=700, height=900), "dark")
    page.emulate_media(media="print", color_scheme="dark")
    width = (
        "[...document.querySelectorAll('#curves .main-svg')].every(svg => svg.getBoundingClientRect().width === 620)"
    )
    assert comes_true(page, width)
    assert page.locator(".side").is_hidden()
    for selector in ("h1", ".headline", "td.best", ".xtick text"):
        channels = page.locator(selector).first.evaluate(INK)
        assert max(channels) < 130, selector
    past = "[...document.querySelectorAll('td, .main-svg')].filter(e => e.getBoundingClientRect().right > innerWidth)"
    assert page.evaluate(f"{past}.length") == 0
    page.emulate_media(media="screen", color_scheme="dark")
    assert comes_true(page, f"!{width}")
    page.close()


def test_it_prints_to_pages(browser: Browser, five_methods: Path) -> None:
    page, seen = opened(browser, five_methods, WIDE, "dark")
    paper = page.pdf(format="A4")
    pages = paper.count(b"/Type /Page\n")
    assert paper.startswith(b"%PDF")
    assert 4 <= pages <= 20
    assert paper.count(b"/Font") > 0
    assert page.evaluate("document.documentElement.dataset.theme ?? 'free'") == "free"
    assert seen.console == []
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_300_clients_and_two_targets_fit(browser: Browser, questions: Path, size: ViewportSize, scheme: str) -> None:
    page, seen = opened(browser, questions, size, scheme)
    assert seen.console == []
    assert page.evaluate(NO_SIDEWAYS)
    assert page.locator("#curves .plot").count() == 4
    assert page.locator("#summary .headline").count() == 2
    assert page.locator("#summary .standings").count() == 2
    width, height = page.locator("#clients .plot").first.evaluate("plot => [plot.clientWidth, plot.clientHeight]")
    assert width == pytest.approx(height, abs=1)
    assert width > 250
    for selector in ("#clients .lead", "#clients dd", "#clients dt", ".scale", "#clients .ytick text"):
        assert page.locator(selector).first.evaluate(CONTRAST) >= 4.5, selector
    page.close()


def test_the_browser_has_the_whole_divergence_matrix(browser: Browser, questions: Path) -> None:
    page, _ = opened(browser, questions, NARROW)
    drawn = page.evaluate("[...document.querySelectorAll('#clients .plot')].map(plot => plot.data[0].z)")
    held = run_folders.partition(300, 37)
    between = divergence.between_clients(np.array(held.counts))
    np.testing.assert_allclose(np.array(drawn[0]), between, atol=0.0005 + 1e-9)
    shares = np.array([[count / sum(row) for count in row] for row in held.counts]).T
    np.testing.assert_allclose(np.array(drawn[1]), shares, atol=0.0005 + 1e-9)
    page.close()


def test_few_clients_have_their_numbers_in_the_cells_and_whole_names_on_hover(browser: Browser, tmp_path: Path) -> None:
    held = msgspec.structs.replace(run_folders.partition(3, 2), classes=("b<i>", "corporation+creative-work+person"))
    report = write_report([run_folders.demo("federa", holding=held)], tmp_path / "report.html")
    page, seen = opened(browser, report, NARROW)
    assert page.locator("#clients .plot").first.locator(".heatmap-label").count() == 9
    plot = page.locator("#clients .plot").last
    assert plot.locator(".ytick text").all_text_contents() == ["b<i>", "corporat\N{HORIZONTAL ELLIPSIS}+person"]
    plot.scroll_into_view_if_needed()
    box = plot.locator(".heatmaplayer").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 0.8 * box["height"])
    shown = plot.locator(".hoverlayer .hovertext")
    expect(shown).to_contain_text("client 1, corporation+creative-work+person: 5 samples")
    assert seen.console == []
    page.close()
