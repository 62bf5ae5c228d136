"""The report in a real browser: it draws, fits, asks for nothing, and can be read in both colour schemes."""

from __future__ import annotations

from pathlib import Path

import pytest
import run_folders
from playwright.sync_api import Browser, ViewportSize
from report_pages import (
    CONTRAST,
    NARROW,
    NO_SIDEWAYS,
    WIDE,
    comes_true,
    needs_browser,
    opened,
)

from analysis.report import write_report

pytestmark = needs_browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_it_draws_and_fits_without_errors_or_requests(
    browser: Browser, five_methods: Path, size: ViewportSize, scheme: str
) -> None:
    page, seen = opened(browser, five_methods, size, scheme)
    assert seen.console == []
    assert seen.requests == [five_methods.as_uri()]
    assert page.evaluate(NO_SIDEWAYS)
    boxes = page.evaluate(
        "[...document.querySelectorAll('.plot')].map(plot => [plot.clientWidth, plot.clientHeight,"
        " plot.querySelector('.main-svg').getBoundingClientRect().width])"
    )
    assert len(boxes) == page.locator(".plot").count() > 11
    assert all(abs(width - drawn) <= 1 and width > 250 and height > 100 for width, height, drawn in boxes)
    page.close()


def test_every_line_and_mark_of_a_method_is_drawn(browser: Browser, five_methods: Path) -> None:
    page, _ = opened(browser, five_methods, WIDE)
    curves = page.locator("#curves .plot").first
    assert curves.locator(".scatterlayer .trace").count() == 5
    assert page.locator("#milestones .points path").count() == 3 + 1 + 3 + 3 + 3
    assert page.locator("#mean-round .barlayer .trace").count() == 7 * 5
    page.close()


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_warnings_and_the_summary_can_be_seen(browser: Browser, five_methods: Path, size: ViewportSize) -> None:
    page, _ = opened(browser, five_methods, size)
    text = page.locator(".cautions").inner_text().replace("\u00a0", " ")
    for words in ("FedBF did not reach 95 % and 99 %", "oversubscribed", "FedAP: 2 clients failed in 2 rounds"):
        assert words in text
    assert page.locator(".cautions").is_visible()
    assert "FeDeRA reached 99 %" in page.locator(".headline").inner_text().replace("\u00a0", " ")
    assert page.locator(".standings .who").all_inner_texts() == ["FeDeRA", "FedAP", "FedLR", "FedFT", "FedBF"]
    page.locator(".cautions a").last.click()
    assert comes_true(page, "location.hash === '#warnings'")
    assert "warm-up" in page.locator("#warnings").inner_text()
    page.close()


def test_the_table_has_a_row_for_each_method_and_a_dash_for_never(browser: Browser, five_methods: Path) -> None:
    page, _ = opened(browser, five_methods, WIDE)
    rows = page.locator("#time-to-target tbody tr")
    cells = [row.locator("th, td").all_inner_texts() for row in rows.all()]
    assert [row[0] for row in cells] == ["FedFT", "FedBF", "FedAP", "FedLR", "FeDeRA"]
    assert cells[1][1:5] == ["77.3 (27)", "-", "-", "-"]
    assert page.locator("#time-to-target td.best").all_inner_texts() == cells[4][1:4]
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast_in_both_schemes(browser: Browser, five_methods: Path, scheme: str) -> None:
    page, _ = opened(browser, five_methods, WIDE, scheme)
    for selector in (
        "h1",
        ".lead",
        ".headline",
        ".tile-detail",
        ".tile-who",
        ".standings .behind",
        ".cautions li",
        ".cautions a",
        ".contents a",
        ".theme",
        "thead th",
        "td.best",
        ".note",
    ):
        assert page.locator(selector).first.evaluate(CONTRAST) >= 4.5, selector
    for selector in (".xtick text", ".ytick text", ".xtitle", ".annotation-text"):
        assert page.locator(selector).first.evaluate(CONTRAST) >= 4.5, selector
    page.close()


def test_names_from_a_run_are_shown_and_never_run(browser: Browser, tmp_path: Path) -> None:
    evil = "<img src=x onerror=\"document.title='run'\"><a href='https://x'>x</a>"
    made = [
        run_folders.run(
            method=evil, of=run_folders.experiment(target={"metric": evil}, train={"trainer": "null"}), warnings=(evil,)
        ),
        run_folders.run(method="fedlr", run_id=evil, environment={evil: evil}),
    ]
    report = write_report(made, tmp_path / "report.html")
    page, seen = opened(browser, report, NARROW)
    assert page.title() == "made-up - federa-bench"
    assert page.locator("img").count() == 0
    assert page.evaluate("[...document.querySelectorAll('a')].every(link => link.protocol === 'file:')")
    assert (seen.console, seen.requests) == ([], [report.as_uri()])
    assert page.locator("#time-to-target tbody th").last.inner_text() == evil
    assert page.evaluate(NO_SIDEWAYS)
    page.close()
