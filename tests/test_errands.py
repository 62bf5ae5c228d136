"""Errands run beside the loop, in order; closing them waits for nothing longer than a checkpoint."""

from __future__ import annotations

import os
import threading

import pytest

from harness.errands import Errands
from harness.transport import wait


def test_results_wake_the_loop_and_come_in_order() -> None:
    errands: Errands[int] = Errands()
    for number in range(3):
        errands.send(lambda number=number: number)
    seen: list[int] = []
    while len(seen) < 3:
        assert wait([], [errands.fd], 30.0) == {errands.fd}
        seen += errands.results()
    assert seen == [0, 1, 2]
    assert errands.results() == []
    errands.close()


def test_what_a_job_raises_is_raised_in_the_loop() -> None:
    errands: Errands[float] = Errands()
    errands.send(lambda: 1 / 0)
    wait([], [errands.fd], 30.0)
    with pytest.raises(ZeroDivisionError):
        errands.results()
    errands.close()


def test_closing_ends_a_long_job_at_its_checkpoint_and_drops_those_behind_it() -> None:
    errands: Errands[int] = Errands()
    begun, ran = threading.Event(), []

    def endless() -> int:
        begun.set()
        while True:
            errands.checkpoint()

    errands.send(endless)
    errands.send(lambda: ran.append("behind") or 0)
    begun.wait(30.0)
    fd = errands.fd
    errands.close()
    assert ran == []
    assert "errands" not in [thread.name for thread in threading.enumerate()]
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)


def test_who_finishes_waits_for_all_that_was_sent_and_hears_of_what_has_a_result() -> None:
    errands: Errands[int] = Errands()
    done: list[str] = []
    errands.send(lambda: 1)
    errands.send(lambda: done.append("nothing to tell"))
    errands.send(lambda: 2)
    assert errands.finish() == [1, 2]
    assert done == ["nothing to tell"]
    assert errands.finish() == []
    errands.send(lambda: int("x"))
    with pytest.raises(ValueError, match="invalid literal"):
        errands.finish()
    errands.close()
