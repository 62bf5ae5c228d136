"""What several files of tests begin with: options of the fault suite; a browser, and reports of made-up runs in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def pytest_configure() -> None:
    for name in ("FORCE_COLOR", "NO_COLOR", "COLUMNS"):  # what is printed is compared as a plain terminal has it
        os.environ.pop(name, None)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("faults", "the fault suite, tests/faults")
    group.addoption("--tries", choices=["short", "full"], default="short", help="how often to try each fault")
    group.addoption("--write-table", metavar="FILE", help="put the table of faults between this document's markers")


# Only browser tests need Playwright, so it is imported when the first of them asks. A module at a time: two browsers of
# one process must not be open at once, and some files start their own.


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from report_pages import started

    with started() as browser:
        yield browser


@pytest.fixture(scope="module")
def five_methods(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from report_pages import five_methods_below

    return five_methods_below(tmp_path_factory.mktemp("five_methods"))


@pytest.fixture(scope="module")
def twenty_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from report_pages import twenty_runs_below

    return twenty_runs_below(tmp_path_factory.mktemp("twenty_runs"))
