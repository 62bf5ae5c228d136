"""What docs/security.md says: its commands, as typed and in their order, and its table of limits."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from benchtools import command

from harness.protocol.messages import MAX_CHUNK_BYTES, MAX_FRAMES
from harness.transport.limits import KNOWN, MAX_FRAME_BYTES, MAX_HEAD_BYTES, STRANGER
from harness.transport.server import DESCRIPTORS, RECEIVED_MESSAGES

PAGE = (Path(__file__).parent.parent / "docs" / "security.md").read_text(encoding="utf-8")
COMMANDS = [line.split()[1:] for line in PAGE.splitlines() if line.strip().startswith("federa-bench ")]


def test_its_commands_work_in_their_order(tmp_path: Path) -> None:
    """Controller and device share a folder here, so nothing has to be copied."""
    environment = {**os.environ, "FEDERA_BENCH_KEYS": str(tmp_path)}
    assert [words[:2] for words in COMMANDS] == [
        ["keys", "new"],
        ["keys", "new"],
        ["keys", "allow"],
        ["run", "quickstart"],
        ["agent", "--connect"],
        ["keys", "list"],
        ["keys", "revoke"],
    ]
    for words in COMMANDS:
        if words[0] == "agent":
            continue  # it would wait for its controller; whole runs with keys have tests of their own
        line = command(*words, *(["--dry-run"] if words[0] == "run" else []))
        result = subprocess.run(line, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert (result.returncode, result.stderr) == (0, ""), words
    assert (tmp_path / "allowed").read_text() == ""


def test_its_limits_are_those_of_the_code() -> None:
    rows = dict(line.strip("| ").split(" | ")[:2] for line in PAGE.splitlines() if line.startswith("| "))
    assert rows["a frame"] == f"{MAX_FRAME_BYTES // 2**20} MiB"
    assert rows["frames of a message"] == str(MAX_FRAMES)
    assert rows["the first frame, which is parsed"] == f"{MAX_HEAD_BYTES // 1024} KiB"
    assert rows["the second, bytes of a file"] == f"{MAX_CHUNK_BYTES // 1024} KiB"
    assert rows["messages a second of a welcomed agent"] == f"{KNOWN.per_s:,} ({KNOWN.burst:,} at once)"
    assert rows["messages a second before that, and heartbeats"] == f"{STRANGER.per_s} ({STRANGER.burst} at once)"
    assert rows["messages that wait for the controller"] == f"{RECEIVED_MESSAGES} for each connection"
    assert f"{DESCRIPTORS:,} files and connections" in " ".join(PAGE.split())
