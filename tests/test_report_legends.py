"""The legends of a report: they toggle by mouse and keyboard, in every figure at once."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, expect
from report_pages import (
    ALL_DRAWN,
    NARROW,
    SHOWN,
    WIDE,
    comes_true,
    needs_browser,
    opened,
)

pytestmark = needs_browser


def test_the_legend_hides_and_shows_a_method_in_every_plot(browser: Browser, five_methods: Path) -> None:
    page, seen = opened(browser, five_methods, NARROW)
    whole = page.evaluate(SHOWN)
    assert sum("fedft" in methods for methods in whole) >= 10
    lines = page.locator("#curves .scatterlayer .trace")
    expect(lines).to_have_count(10)
    page.locator("#bytes button[data-method=fedft]").click()
    expect(lines).to_have_count(8)
    assert page.evaluate(SHOWN) == [[each for each in methods if each != "fedft"] for methods in whole]
    assert page.locator("#curves button[data-method=fedft]").get_attribute("aria-pressed") == "false"
    assert page.locator("figure[data-of=fedft]").is_hidden()
    page.locator("#curves button[data-method=fedft]").click()
    expect(lines).to_have_count(10)
    assert page.evaluate(SHOWN) == whole
    assert page.locator("figure[data-of=fedft]").is_visible()
    assert seen.console == []
    page.close()


def test_the_keyboard_reaches_the_legend(browser: Browser, five_methods: Path) -> None:
    page, _ = opened(browser, five_methods, WIDE)
    button = page.locator("#curves button[data-method=fedlr]")
    lines = page.locator("#metric-by-time .scatterlayer .trace")
    button.focus()
    page.keyboard.press("Space")
    expect(lines).to_have_count(4)
    page.keyboard.press("Enter")
    expect(lines).to_have_count(5)
    page.keyboard.press("Shift+Enter")
    expect(lines).to_have_count(1)
    page.close()


def test_a_double_click_leaves_one_method_and_another_brings_all_back(browser: Browser, five_methods: Path) -> None:
    page, _ = opened(browser, five_methods, WIDE)
    button = page.locator("#curves button[data-method=federa]")
    assert "Double-click" in str(button.get_attribute("title"))
    button.dblclick()
    assert all(methods == ["federa"] for methods in page.evaluate(SHOWN) if methods)
    assert page.locator("#bytes button[aria-pressed=true]").count() == 1
    button.dblclick()
    expect(page.locator("#curves .scatterlayer .trace")).to_have_count(10)
    page.close()


def test_phases_can_be_hidden_too(browser: Browser, five_methods: Path) -> None:
    page, _ = opened(browser, five_methods, WIDE)
    page.locator("#phases button[data-phase=train_s]").click()
    expect(page.locator("#mean-round .barlayer .trace")).to_have_count(6 * 5)
    page.locator("#phases button[data-method=fedft]").click()
    expect(page.locator("#mean-round .barlayer .trace")).to_have_count(6 * 4)
    page.close()


def test_a_folded_chart_is_drawn_without_what_the_legend_hides(browser: Browser, twenty_runs: Path) -> None:
    page, _ = opened(browser, twenty_runs, WIDE)
    page.locator("#phases button[data-phase=train_s]").click()
    page.locator("#phases button[data-method=fedft]").click()
    page.locator("#phases details summary").click()
    assert comes_true(page, ALL_DRAWN)
    first = page.locator("#phases details figure[data-of=fedlr]").first
    expect(first.locator(".barlayer .trace")).to_have_count(6)
    assert page.locator("#phases details figure:visible").count() == 15
    page.close()
