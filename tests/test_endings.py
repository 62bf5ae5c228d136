"""However a run ends, there is a sentence, and its header says it."""

from __future__ import annotations

import errno
import os
import signal
from pathlib import Path

import pytest
from run_folders import header

from harness.endings import recording_failure, stopped_by_signals
from harness.errors import FederaBenchError, RunInterruptedError, StoreError
from harness.store import RunFolder


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    folder = RunFolder.create(tmp_path, "r")
    folder.write_header(header(state="running"))
    return folder


def told(folder: RunFolder) -> tuple[str, str | None]:
    return folder.read_header().state, folder.read_header().reason


def test_sigterm_ends_a_run_as_ctrl_c_does_and_says_how_to_go_on(folder: RunFolder) -> None:
    before = signal.getsignal(signal.SIGTERM)
    says_how = pytest.raises(RunInterruptedError, match=f"federa-bench resume {folder.path}")
    with says_how, stopped_by_signals(), recording_failure(folder):
        signal.raise_signal(signal.SIGTERM)
    assert told(folder) == ("interrupted", "stopped by the user")
    assert signal.getsignal(signal.SIGTERM) is before


def test_an_error_stands_in_the_header(folder: RunFolder) -> None:
    with pytest.raises(FederaBenchError), recording_failure(folder):
        raise FederaBenchError("the quorum is 2")
    assert told(folder) == ("failed", "the quorum is 2")


def test_a_full_disk_is_a_sentence_with_the_file_and_the_header_is_left_alone(folder: RunFolder) -> None:
    says_why = pytest.raises(StoreError, match="the disk is full: /data/state could not be written")
    with says_why, recording_failure(folder):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/data/state")
    assert told(folder) == ("running", None)


def test_of_a_copy_that_a_full_disk_cut_short_the_sentence_names_what_was_written(folder: RunFolder) -> None:
    says_why = pytest.raises(StoreError, match="the disk is full: /data/copy could not be written")
    with says_why, recording_failure(folder):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/data/state", None, "/data/copy")


def test_a_run_that_ends_well_is_not_touched(folder: RunFolder) -> None:
    with stopped_by_signals(), recording_failure(folder):
        pass
    assert told(folder) == ("running", None)
