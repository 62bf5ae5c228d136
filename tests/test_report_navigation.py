"""Ways through a report and out of it: contents, links to files, and the choice of colours."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser
from report_pages import (
    CONTRAST,
    NARROW,
    NO_SIDEWAYS,
    WIDE,
    comes_true,
    needs_browser,
    opened,
)

pytestmark = needs_browser


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
    assert page.evaluate(NO_SIDEWAYS)
    assert seen.console == []
    page.close()


def test_contents_stand_beside_a_wide_page_and_mark_where_one_reads(browser: Browser, five_methods: Path) -> None:
    page, _ = opened(browser, five_methods, WIDE)
    link = page.locator(".contents a[href='#bytes']")
    link.click()
    assert comes_true(page, "document.querySelector('.contents a[aria-current]').hash === '#bytes'")
    assert link.evaluate("link => link.getBoundingClientRect().top") > 0  # the contents came along
    top = page.locator("#bytes").evaluate("section => section.getBoundingClientRect().top")
    assert 0 <= top < 100
    page.locator(".contents a[href='#bytes-by-round']").click()
    assert comes_true(page, "location.hash === '#bytes-by-round'")
    page.close()


def test_contents_are_folded_on_a_narrow_page_and_fold_again_once_followed(
    browser: Browser, five_methods: Path
) -> None:
    page, _ = opened(browser, five_methods, NARROW)
    link = page.locator(".contents a[href='#phases']")
    assert link.is_hidden()
    page.locator(".contents summary").click()
    assert page.evaluate(NO_SIDEWAYS)
    link.click()
    assert link.is_hidden()
    head = page.locator("#phases h2")
    assert comes_true(page, "document.querySelector('#phases h2').getBoundingClientRect().top < 120")
    bar = page.locator(".side").evaluate("side => side.getBoundingClientRect().bottom")
    assert head.evaluate("head => head.getBoundingClientRect().top") >= bar  # the bar does not cover it
    page.close()


def test_every_link_leads_to_a_place_or_a_file_and_a_raw_file_opens(browser: Browser, five_methods: Path) -> None:
    page, seen = opened(browser, five_methods, WIDE)
    addresses = page.evaluate("[...document.querySelectorAll('a')].map(link => link.getAttribute('href'))")
    places = {address[1:] for address in addresses if address.startswith("#")}
    assert places == {name for name in places if page.locator(f"[id='{name}']").count() == 1}
    files = {address for address in addresses if not address.startswith("#")}
    assert len(files) == 5 * 3 + 3 * 5  # runs without a partition; tables that are shown
    assert all((five_methods.parent / address).is_file() for address in files)
    assert seen.requests == [five_methods.as_uri()]
    page.locator("#runs a", has_text="header").first.click()
    assert comes_true(page, "location.pathname.endsWith('/header.json')")
    assert '"method":"fedft"' in page.locator("body").inner_text().replace(" ", "")
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_button_chooses_the_other_colours(browser: Browser, five_methods: Path, scheme: str) -> None:
    page, _ = opened(browser, five_methods, NARROW, scheme)
    button = page.locator(".theme")
    assert button.get_attribute("aria-pressed") == str(scheme == "dark").lower()
    ink = "getComputedStyle(document.querySelector('.xtick text')).fill"
    before = page.evaluate(ink)
    button.click()
    assert button.get_attribute("aria-pressed") == str(scheme == "light").lower()
    assert comes_true(page, f"{ink} !== '{before}'")
    for selector in ("h1", ".headline", ".xtick text", ".note"):
        assert page.locator(selector).first.evaluate(CONTRAST) >= 4.5, selector
    button.click()
    assert comes_true(page, f"{ink} === '{before}'")
    page.close()
