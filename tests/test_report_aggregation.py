"""The report of many ways of aggregating, in a real browser."""

from __future__ import annotations

from pathlib import Path

import aggregation_runs
import pytest
from playwright.sync_api import Browser, ViewportSize, expect
from report_pages import NARROW, NO_SIDEWAYS, WIDE, needs_browser, opened

from analysis.load import load_runs
from analysis.report import write_report
from harness.profiles import PrivacyProfile

pytestmark = needs_browser


@pytest.fixture(scope="module")
def every_method(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("aggregation")
    noisy = [
        aggregation_runs.run("fra", privacy=PrivacyProfile(kind="dp-sgd", noise_multiplier=noise))
        for noise in (0.5, 2.0)
    ]
    aggregation_runs.write(folder / "runs", [*map(aggregation_runs.run, aggregation_runs.LOOKS), *noisy])
    return write_report(load_runs([folder / "runs"]).runs, folder / "report.html")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_all_methods_fit_and_each_has_its_mark(
    browser: Browser, every_method: Path, size: ViewportSize, scheme: str
) -> None:
    page, seen = opened(browser, every_method, size, scheme)
    assert (seen.console, seen.requests) == ([], [every_method.as_uri()])
    assert page.evaluate(NO_SIDEWAYS)
    marks = page.locator("#aggregation tbody tr th .swatch path").evaluate_all(
        "all => all.map(p => p.getAttribute('d'))"
    )
    assert len(set(marks)) == len(aggregation_runs.LOOKS)
    assert all(mark.startswith("M") for mark in marks)
    assert page.locator("#aggregating figure").count() == 4
    assert page.locator("#own-models figure").count() == aggregation_runs.CLIENTS
    assert page.locator("#privacy-spent figure").count() == 2
    page.close()


def test_the_legend_hides_thin_and_thick_lines_of_a_method_together(browser: Browser, every_method: Path) -> None:
    page, _ = opened(browser, every_method, WIDE)
    lines = page.locator("#client-0 .scatterlayer .trace")
    whole = lines.count()
    page.locator("#own-models button[data-method=ffa]").click()
    expect(lines).to_have_count(whole - 2)
    page.close()
