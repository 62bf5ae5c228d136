"""The ground that faults are tried on: an undisturbed run's books are right, and the check sees what is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from books import check_books
from ground import Ground, Setting
from quiet import Quiet, check_end

LONGER = Setting(rate_mbps=4.0)


def test_a_run_to_disturb_ends_by_itself_with_the_states_that_its_updates_give(
    start: Callable[..., Ground], undisturbed: Callable[..., Quiet]
) -> None:
    quiet, ground = undisturbed(LONGER), start(LONGER)
    check_end(ground, quiet)


def test_the_check_sees_an_update_that_counted_twice(start: Callable[..., Ground]) -> None:
    ground = start(Setting(rounds=1))
    ground.finish()
    clients = ground.run / "clients.jsonl"
    lines = clients.read_text().splitlines(keepends=True)
    clients.write_text("".join([*lines, lines[0]]))
    with pytest.raises(AssertionError):
        check_books(ground.run)
