"""Files are written whole or not at all, and a failure leaves nothing beside them."""

from __future__ import annotations

from pathlib import Path

import pytest
from traced import syscalls_of

from harness.durable import append_whole, copy_whole, cut_torn_line, replace_whole, sync, written_whole


def test_appended_data_follows_what_was_there(tmp_path: Path) -> None:
    append_whole(tmp_path / "lines", b"one\n")
    append_whole(tmp_path / "lines", b"two\n")
    assert (tmp_path / "lines").read_bytes() == b"one\ntwo\n"


def test_a_device_without_room_raises() -> None:
    with pytest.raises(OSError, match="No space left"):
        append_whole(Path("/dev/full"), b"x")


def test_a_file_takes_its_place_when_the_block_that_writes_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_bytes(b"old")
    with written_whole(path) as partial:
        partial.write_bytes(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def _write_half(path: Path, end: type[BaseException]) -> None:
    with written_whole(path) as partial:
        partial.write_bytes(b"ne")
        raise end


@pytest.mark.parametrize("end", [OSError, KeyboardInterrupt])
def test_a_block_that_fails_leaves_what_was_there(tmp_path: Path, end: type[BaseException]) -> None:
    path = tmp_path / "state"
    path.write_bytes(b"old")
    with pytest.raises(end):
        _write_half(path, end)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_copy_has_the_bytes_of_its_source(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"state")
    copy_whole(tmp_path / "source", tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == b"state"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source", "target"]


def test_replacing_leaves_nothing_beside_the_file(tmp_path: Path) -> None:
    replace_whole(tmp_path / "file", b"old")
    replace_whole(tmp_path / "file", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == b"new"


def test_a_replacement_that_fails_leaves_the_old_content(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    with pytest.raises(OSError, match="directory"):
        replace_whole(tmp_path / "file", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_copy_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        copy_whole(tmp_path / "missing", tmp_path / "target")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("torn", "whole"), [(b"a\nb\nc", b"a\nb\n"), (b"a\n", b"a\n"), (b"a", b""), (b"", b"")])
def test_what_follows_the_last_line_is_cut(tmp_path: Path, torn: bytes, whole: bytes) -> None:
    (tmp_path / "lines").write_bytes(torn)
    cut_torn_line(tmp_path / "lines")
    assert (tmp_path / "lines").read_bytes() == whole


def test_what_is_not_there_cannot_be_synced(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        sync(tmp_path / "missing")
    with pytest.raises(FileNotFoundError), written_whole(tmp_path / "file", synced=True):
        pass  # the block wrote nothing
    assert list(tmp_path.iterdir()) == []


def test_a_synced_file_is_on_the_disk_before_it_gets_its_name_and_then_its_name_is(tmp_path: Path) -> None:
    write = "from pathlib import Path; from harness.durable import replace_whole; replace_whole(Path('f'), b'new'"
    synced = syscalls_of(f"{write}, synced=True)", "fsync,rename,renameat2", tmp_path)
    assert [call for call, _ in synced] == ["fsync", "rename", "fsync"]
    assert "/.f.part>" in synced[0][1]
    assert synced[2][1].endswith(f"{tmp_path}>")
    assert [call for call, _ in syscalls_of(f"{write})", "fsync,rename,renameat2", tmp_path)] == ["rename"]
