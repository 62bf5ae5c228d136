"""The journal of a finished update, on a real disk."""

from pathlib import Path

import msgspec
import pytest
from agent_facts import UPDATE, kept_update

from agents.outbox import Outbox


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    (tmp_path / "update").write_bytes(b"update")
    return Outbox(tmp_path / "update", tmp_path / "journal")


def test_what_was_kept_is_found(outbox: Outbox) -> None:
    kept = kept_update()
    assert kept.update == UPDATE
    outbox.keep(kept)
    assert outbox.load() == kept


def test_an_update_without_a_journal_was_not_finished(outbox: Outbox, tmp_path: Path) -> None:
    assert outbox.load() is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("data", [b"updatf", b"updat", None])
def test_a_damaged_update_is_dropped(outbox: Outbox, tmp_path: Path, data: bytes | None) -> None:
    outbox.keep(kept_update())
    (tmp_path / "update").unlink()
    if data is not None:
        (tmp_path / "update").write_bytes(data)
    assert outbox.load() is None
    assert list(tmp_path.iterdir()) == []


def test_a_journal_that_is_damaged_anywhere_is_dropped_or_says_the_same(outbox: Outbox, tmp_path: Path) -> None:
    kept = kept_update()
    good = msgspec.msgpack.encode(kept)
    for size_bytes in range(0, len(good), 7):
        (tmp_path / "update").write_bytes(b"update")
        (tmp_path / "journal").write_bytes(good[:size_bytes])
        assert outbox.load() is None


def test_a_journal_that_cannot_be_written_costs_no_run(outbox: Outbox, tmp_path: Path) -> None:
    (tmp_path / ".journal.part").mkdir()
    outbox.keep(kept_update())
    assert (tmp_path / "update").exists()
    assert outbox.load() is None
