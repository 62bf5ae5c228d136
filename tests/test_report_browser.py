"""The report in a real browser: it draws, fits, asks for nothing, and can be read in both colour schemes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np
import pytest
import run_folders
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from analysis.load import load_runs
from analysis.report import write_report
from harness import divergence

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
WIDE, NARROW = ViewportSize(width=1400, height=900), ViewportSize(width=400, height=800)

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: install chromium to run this")

# Contrast of a text's colour against the first opaque background behind it (WCAG 2, relative luminance).
CONTRAST = """element => {
  const channels = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const style = getComputedStyle(element);
  const ink = channels(element instanceof SVGElement ? style.fill : style.color);
  let behind = element, paper = [0, 0, 0, 0];
  while (behind && paper.length === 4 && paper[3] === 0) {
    paper = channels(getComputedStyle(behind).backgroundColor);
    behind = behind.parentElement;
  }
  const [high, low] = [light(ink), light(paper)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}"""


@dataclass
class Seen:
    """What a page said and asked for while it was open."""

    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def five_methods(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of five methods, one of which misses targets and one of which loses clients."""
    folder = tmp_path_factory.mktemp("five")
    run_folders.write_demo(folder / "runs")
    return write_report(load_runs([folder / "runs"]).runs, folder / "report.html")


@pytest.fixture(scope="module")
def questions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of two methods with two targets, and clients of few samples of many classes."""
    folder = tmp_path_factory.mktemp("questions")
    of = {"of": run_folders.QUESTIONS, "holding": run_folders.partition(300, 37)}
    run_folders.write_demo(folder / "runs", ["fedlr", "federa"], **of)
    return write_report(load_runs([folder / "runs"]).runs, folder / "report.html")


@pytest.fixture(scope="module")
def one_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("one")
    return write_report([run_folders.run()], folder / "report.html")


def opened(browser: Browser, report: Path, size: ViewportSize, scheme: str = "light") -> tuple[Page, Seen]:
    page, seen = browser.new_page(viewport=size), Seen()
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.on("console", lambda message: seen.console.append(message.text))
    page.on("pageerror", lambda error: seen.console.append(str(error)))
    page.on("request", lambda request: seen.requests.append(request.url))
    page.goto(report.as_uri())
    assert comes_true(page, "[...document.querySelectorAll('.plot')].every(plot => plot.querySelector('.main-svg'))")
    return page, seen


def comes_true(page: Page, condition: str) -> bool:
    """Whether a condition holds within 600 frames. (Playwright's own waiting needs eval, which the page forbids.)"""
    look = f"frames => {condition} ? done(true) : frames ? requestAnimationFrame(() => look(frames - 1)) : done(false)"
    return bool(page.evaluate(f"() => new Promise(done => {{ const look = {look}; look(600); }})"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_it_draws_and_fits_without_errors_or_requests(
    browser: Browser, five_methods: Path, size: ViewportSize, scheme: str
) -> None:
    page, seen = opened(browser, five_methods, size, scheme)
    assert seen.console == []
    assert seen.requests == [five_methods.as_uri()]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    boxes = page.evaluate(
        "[...document.querySelectorAll('.plot')].map(plot => [plot.clientWidth, plot.clientHeight,"
        " plot.querySelector('.main-svg').getBoundingClientRect().width])"
    )
    assert len(boxes) == 11
    assert all(abs(width - drawn) <= 1 and width > 250 and height > 100 for width, height, drawn in boxes)
    page.close()


def test_every_line_and_mark_of_a_method_is_drawn(browser: Browser, five_methods: Path) -> None:
    page, _ = opened(browser, five_methods, WIDE)
    curves = page.locator("#curves .plot").first
    assert curves.locator(".scatterlayer .trace").count() == 5
    assert page.locator("#summary .plot .points path").count() == 3 + 1 + 3 + 3 + 3
    assert page.locator("#phases .plot").first.locator(".barlayer .trace").count() == 7
    page.close()


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_warnings_and_the_summary_can_be_seen(browser: Browser, five_methods: Path, size: ViewportSize) -> None:
    page, _ = opened(browser, five_methods, size)
    text = page.locator(".cautions").inner_text().replace("\u00a0", " ")
    for words in ("FedBF did not reach 95 % and 99 %", "oversubscribed", "FedAP: 2 clients failed in 2 rounds"):
        assert words in text
    assert page.locator(".cautions").is_visible()
    assert "FeDeRA reached 99 %" in page.locator(".headline").inner_text().replace("\u00a0", " ")
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
    for selector in ("h1", ".lead", ".headline", ".tile-detail", ".cautions li", "thead th", "td.best", ".note"):
        assert page.locator(selector).first.evaluate(CONTRAST) >= 4.5, selector
    for selector in (".xtick text", ".ytick text", ".xtitle", ".annotation-text"):
        assert page.locator(selector).first.evaluate(CONTRAST) >= 4.5, selector
    page.close()


def test_plots_follow_a_change_of_scheme_and_of_width(browser: Browser, five_methods: Path) -> None:
    page, seen = opened(browser, five_methods, WIDE)
    before = page.locator(".xtick text").first.evaluate("text => getComputedStyle(text).fill")
    page.emulate_media(color_scheme="dark")
    assert comes_true(page, f"getComputedStyle(document.querySelector('.xtick text')).fill !== '{before}'")
    page.set_viewport_size(NARROW)
    assert comes_true(
        page,
        "[...document.querySelectorAll('.plot')].every(plot => Math.abs("
        "plot.querySelector('.main-svg').getBoundingClientRect().width - plot.clientWidth) <= 1)",
    )
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert seen.console == []
    page.close()


def test_the_legend_hides_and_shows_a_method_in_every_plot(browser: Browser, five_methods: Path) -> None:
    page, _ = opened(browser, five_methods, NARROW)
    lines = page.locator("#curves .scatterlayer .trace")
    expect(lines).to_have_count(10)
    page.locator("#bytes button[data-method=fedft]").click()
    expect(lines).to_have_count(8)
    assert page.locator("#curves button[data-method=fedft]").get_attribute("aria-pressed") == "false"
    page.locator("#curves button[data-method=fedft]").click()
    expect(lines).to_have_count(10)
    page.close()


def test_one_run_needs_no_legend_and_no_comparison(browser: Browser, one_run: Path) -> None:
    page, seen = opened(browser, one_run, NARROW)
    assert seen.console == []
    assert page.locator("button").count() == 0
    assert page.locator(".plot").count() == 5
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
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
    assert page.locator("img, a").count() == 0
    assert (seen.console, seen.requests) == ([], [report.as_uri()])
    assert page.locator("#time-to-target tbody th").last.inner_text() == evil
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_300_clients_and_two_targets_fit(browser: Browser, questions: Path, size: ViewportSize, scheme: str) -> None:
    page, seen = opened(browser, questions, size, scheme)
    assert seen.console == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator("#curves .plot").count() == 4
    assert page.locator("#summary .headline").count() == 2
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
