"""The page of retimed runs: what it shows, and that it draws in a browser."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import run_folders
import timed_runs
from playwright.sync_api import ViewportSize, sync_playwright
from timed_runs import LTE, timed_run

from analysis.load import Run
from analysis.retime.page import all_tables, render
from analysis.retime.rates import by_rate
from analysis.retime.study import study
from harness.profiles import DeviceProfile

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
SLOW = DeviceProfile(name="slow", slowdown=3.0, slower_than="desk")
RANGE_BPS = (1e6, 1e9)


def two() -> list[Run]:
    """FedFT is quick and sends a hundred times as much, so the two change places."""
    heavy = timed_runs.STATE_BYTES * 100
    fedft = timed_run("fedft", (0.5, 0.8), download_bytes=heavy, upload_bytes=heavy)
    return [fedft, timed_run("federa", (0.5, 0.6, 0.73, 0.77))]


def page(runs: list[Run]) -> str:
    made = study(runs, LTE, SLOW, "float16")
    return render(made, by_rate(made, RANGE_BPS), RANGE_BPS, ["A run was left out: it is damaged."])


def test_the_page_shows_conditions_tables_figures_and_cautions() -> None:
    text = page(two())
    for words in (
        "made-up over lte on slow as float16",
        "lte (5 Mbit/s, latency 40 ms)",
        "slow (3 times slower than desk)",
        "Time to 90\N{NO-BREAK SPACE}% of accuracy 0.8 by rate",
        "Crossovers: the rate at which a method becomes faster",
        "FeDeRA did not reach it.",
        "Nothing was trained again",
        "is assumed, not trained",
        "A run was left out: it is damaged.",
    ):
        assert words in text


def test_without_crossovers_that_is_said() -> None:
    assert "No two methods change places between 1 and 1000" in page([timed_run("federa")])


def test_where_nobody_reached_anything_that_is_said() -> None:
    assert "Nobody reached 90 % of accuracy 0.8." in page([timed_run("federa", (0.1, 0.2))])


def test_two_targets_have_figures_of_their_own() -> None:
    text = page([timed_run("federa", of=run_folders.QUESTIONS)])
    assert 'id="time-by-rate-99"' in text
    assert 'id="time-by-rate-99-f1"' in text


def test_every_table_has_its_own_name() -> None:
    made = study([timed_run("federa", of=run_folders.QUESTIONS)], LTE)
    names = [table.name for table in all_tables(made, by_rate(made, RANGE_BPS))]
    assert len(set(names)) == len(names) == 5


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: install chromium to run this")
@pytest.mark.parametrize("width", [1400, 400])
def test_it_draws_asks_for_nothing_and_fits(width: int, tmp_path: Path) -> None:
    path = tmp_path / "retime.html"
    path.write_text(page(two()), encoding="utf-8")
    said: list[str] = []
    asked: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        shown = browser.new_page(viewport=ViewportSize(width=width, height=900))
        shown.on("console", lambda message: said.append(message.text))
        shown.on("pageerror", lambda error: said.append(str(error)))
        shown.on("request", lambda request: asked.append(request.url))
        shown.goto(path.as_uri())
        assert shown.locator(".plot .scatterlayer .trace").count() >= 3 * 3
        assert shown.evaluate("document.documentElement.scrollWidth") == width
        browser.close()
    assert said == []
    assert asked == [path.as_uri()]
