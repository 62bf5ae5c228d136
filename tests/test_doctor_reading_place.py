"""Files below a root, and commands of this machine alone."""

import sys
from pathlib import Path

from harness.doctor.reading.place import Place, answer_of


def test_a_file_below_the_root_is_read_without_blanks_and_zeros(tmp_path: Path) -> None:
    (tmp_path / "sys").mkdir()
    (tmp_path / "sys" / "model").write_bytes(b"NVIDIA Jetson\0")
    (tmp_path / "sys" / "count").write_text(" 12\n")
    place = Place("agent", tmp_path)
    assert (place.text("sys/model"), place.integer("sys/count"), place.integer("sys/model")) == (
        "NVIDIA Jetson",
        12,
        None,
    )


def test_what_cannot_be_read_is_none(tmp_path: Path) -> None:
    assert Place("agent", tmp_path).text("sys") is None
    assert Place("agent", tmp_path).integer("proc/nothing") is None


def test_a_made_tree_is_asked_no_commands(tmp_path: Path) -> None:
    assert Place("agent", tmp_path).answer("echo", "word") is None
    assert Place("agent").answer("echo", "word") == "word\n"


def test_a_command_that_fails_is_not_here_or_hangs_says_nothing() -> None:
    assert answer_of(["no-such-command-anywhere"]) is None
    assert answer_of(["false"]) is None
    assert answer_of([sys.executable, "-c", "import signal; signal.pause()"]) is None
