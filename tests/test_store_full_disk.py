"""A disk that fills up while a record is written: a real small disk, and a real limit on files."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from small_files import files_of

from harness.errors import StoreError
from harness.records import Header
from harness.rounds.events import AgentLost
from harness.store import RunFolder

HEADER = Header(
    run_id="r",
    method="federa",
    seed=0,
    profile={},
    profile_sha256="0" * 64,
    environment={},
    started_at="2026-01-31T14:25:01+00:00",
)


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    folder = RunFolder.create(tmp_path, "r")
    folder.write_header(HEADER)
    return folder


WRITER = """
import sys
from pathlib import Path
from harness.errors import StoreError
from harness.rounds.events import AgentLost
from harness.store import RunFolder

folder = RunFolder.open(Path(sys.argv[1]))
try:
    for number in range(1000):
        folder.append_event(AgentLost(at_s=float(number), agent="a", reason="x" * 100))
except StoreError as error:
    print(error)
"""


def full_disk_sentence(folder: RunFolder) -> str:
    """What a writer says when a disk of a few KiB is full; whole lines stay, and reading goes on."""
    result = subprocess.run(
        [sys.executable, "-c", WRITER, str(folder.path)], capture_output=True, text=True, check=True
    )
    assert (folder.path / "events.jsonl").read_bytes().endswith(b"}\n")
    assert [event.at_s for event in folder.read_events()][:2] == [0.0, 1.0]
    return result.stdout.strip()


def test_a_write_cut_short_leaves_whole_lines_and_one_sentence(folder: RunFolder) -> None:
    with files_of(10_000):
        sentence = full_disk_sentence(folder)
    assert sentence == (
        f"the disk is full: {folder.path}/events.jsonl could not be written; what was recorded before is kept; "
        f"free space, then: federa-bench resume {folder.path}"
    )


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 64 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], capture_output=True)
    if mount.returncode:
        pytest.skip("mounting a small disk takes root's rights")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_keeps_what_was_recorded_and_takes_more_when_there_is_space(tiny_disk: Path) -> None:
    ballast = tiny_disk / "ballast"
    folder = RunFolder.create(tiny_disk, "r")
    folder.write_header(HEADER)
    ballast.write_bytes(bytes(20_000))
    assert full_disk_sentence(folder).startswith(f"the disk is full: {folder.path}/events.jsonl could not be written")
    with pytest.raises(StoreError, match="the disk is full"):
        folder.write_header(msgspec.structs.replace(HEADER, reason="x" * 5000))
    assert folder.read_header() == HEADER
    recorded = len(folder.read_events())
    ballast.unlink()
    folder.append_event(AgentLost(at_s=1.0, agent="a", reason="no heartbeat"))
    assert len(folder.read_events()) == recorded + 1
