"""Reports of made-up runs in a real browser: how tests make them, open them and look at them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import run_folders
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from analysis.load import load_runs
from analysis.report import write_report, write_tables

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
WIDE, NARROW = ViewportSize(width=1400, height=900), ViewportSize(width=400, height=800)

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: install chromium to run this")

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


# What is folded away is drawn when it is opened.
ALL_DRAWN = """[...document.querySelectorAll('.plot')].every(
  plot => plot.closest('details:not([open])') || plot.querySelector('.main-svg'))"""
# Red, green and blue of a text's colour.
INK = """text => getComputedStyle(text)[text instanceof SVGElement ? 'fill' : 'color'].match(/\\d+/g).map(Number)"""
NO_SIDEWAYS = "document.documentElement.scrollWidth <= innerWidth"
# Methods of which a plot shows anything, by plot; phases alone belong to no method.
SHOWN = """[...document.querySelectorAll('.plot')].filter(plot => plot.data).map(plot => [...new Set(plot.data
  .filter(trace => trace.visible !== 'legendonly').map(trace => trace.meta?.method ?? trace.meta)
  .filter(meta => typeof meta === 'string'))]).filter(methods => methods.length)"""


@dataclass
class Seen:
    """What a page said and asked for while it was open."""

    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@contextmanager
def started() -> Iterator[Browser]:
    """The system's Chromium, without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


def five_methods_below(folder: Path) -> Path:
    """A report of five methods, one of which misses targets and one of which loses clients, with its tables."""
    run_folders.write_demo(folder / "runs")
    runs = load_runs([folder / "runs"]).runs
    write_tables(runs, folder / "tables")
    return write_report(runs, folder / "report.html")


def questions_below(folder: Path) -> Path:
    """A report of two methods with two targets, and clients of few samples of many classes."""
    holding = run_folders.partition(300, 37)
    run_folders.write_demo(folder / "runs", ["fedlr", "federa"], of=run_folders.QUESTIONS, holding=holding)
    return write_report(load_runs([folder / "runs"]).runs, folder / "report.html")


def twenty_runs_below(folder: Path) -> Path:
    """A report of four methods with five seeds each."""
    holding = run_folders.partition()
    run_folders.write_demo(folder / "runs", ["fedft", "fedap", "fedlr", "federa"], range(5), holding=holding)
    return write_report(load_runs([folder / "runs"]).runs, folder / "report.html")


def opened(browser: Browser, report: Path, size: ViewportSize, scheme: str = "light") -> tuple[Page, Seen]:
    page, seen = browser.new_page(viewport=size), Seen()
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.on("console", lambda message: seen.console.append(message.text))
    page.on("pageerror", lambda error: seen.console.append(str(error)))
    page.on("request", lambda request: seen.requests.append(request.url))
    page.goto(report.as_uri())
    assert comes_true(page, ALL_DRAWN)
    return page, seen


def comes_true(page: Page, condition: str) -> bool:
    """Whether a condition holds within 600 frames. (Playwright's own waiting needs eval, which the page forbids.)"""
    look = f"frames => {condition} ? done(true) : frames ? requestAnimationFrame(() => look(frames - 1)) : done(false)"
    return bool(page.evaluate(f"() => new Promise(done => {{ const look = {look}; look(600); }})"))
