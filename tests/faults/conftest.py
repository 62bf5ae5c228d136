"""Fixtures of the fault suite: the ledger of tries, which becomes a table at the session's end, and runs to disturb."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from ground import Ground, Setting, free_port
from ledger import Faults
from quiet import Quiet, quiet_run
from table import table

HERE = Path(__file__).parent
LEDGER = pytest.StashKey[Faults]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[LEDGER] = Faults(config.getoption("tries"))
    config.pluginmanager.register(Witness(config.stash[LEDGER], config), "faults")


@pytest.fixture(scope="session")
def faults(pytestconfig: pytest.Config) -> Faults:
    return pytestconfig.stash[LEDGER]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Ground]]:
    """Start a run to disturb: ``start(Setting(...))``, with the further fields of :class:`ground.Ground` by name.

    What runs at the test's end is ended; a test of several tries closes each ground itself.
    """
    with ExitStack() as stack:
        count = 0

        def started(setting: Setting, **more: Any) -> Ground:
            nonlocal count
            count += 1
            return stack.enter_context(Ground(tmp_path / f"run-{count}", setting, **{"port": free_port(), **more}))

        yield started


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Quiet]:
    """What a run comes to that nothing happens to: ``undisturbed(setting, secured=False)``; once in a session each."""
    known: dict[tuple[object, ...], Quiet] = {}

    def undisturbed_of(setting: Setting, secured: bool = False) -> Quiet:
        which = (*setting.what_counts, secured)
        if which not in known:
            known[which] = quiet_run(setting, tmp_path_factory.mktemp("undisturbed"), secured)
        return known[which]

    return undisturbed_of


class Witness:
    """Sees which fault tests were left out, skipped or failed, and has the table written."""

    def __init__(self, ledger: Faults, config: pytest.Config) -> None:
        self._ledger, self._document = ledger, config.getoption("write_table")

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        self._ledger.partial |= bool(items)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        collected = {item.path for item in session.items}
        self._ledger.partial |= not collected.issuperset(HERE.glob("test_*.py"))

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        ended = exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
        self._ledger.partial |= not ended or bool(session.shouldfail) or bool(session.shouldstop)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        path, _, test = report.nodeid.partition("::")
        if Path(path).parent.name != HERE.name:
            return
        if report.failed:
            self._ledger.failed.append(f"{Path(path).name}: {test}")
        elif report.passed and report.when == "call":
            self._ledger.passed.append(f"{Path(path).name}: {test}")
        elif report.skipped and isinstance(report.longrepr, tuple):
            reason = report.longrepr[2].removeprefix("Skipped: ")
            self._ledger.skipped.append(f"`{test}`: {reason}")

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._document is None:
            return
        terminalreporter.write_line(table(self._ledger.noted))
        try:
            terminalreporter.write_line(self._ledger.write(Path(self._document)))
        except (OSError, ValueError) as error:
            terminalreporter.write_line(f"no table was written: {error}")
