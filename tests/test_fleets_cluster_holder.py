"""What a node holds: files by hash, base folders by name, and nothing of runs that are over."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from harness.errors import BlobError
from harness.fleets.cluster_holder import Holder
from harness.fleets.cluster_versions import versions
from harness.fleets.cluster_wire import versions_of

DATA = b"weights"
SHA256 = hashlib.sha256(DATA).hexdigest()


MakeHolder = Callable[[], Holder]


@pytest.fixture
def made(tmp_path: Path) -> Iterator[MakeHolder]:
    """Makes holders that are cleared away at the end."""
    with ExitStack() as stack:

        def make() -> Holder:
            holder = Holder(str(tmp_path))
            stack.callback(holder.clear)
            return holder

        yield make


def test_bytes_become_a_file_once(made: MakeHolder) -> None:
    holder = made()
    path = Path(holder.hold(SHA256, DATA))
    first = path.stat().st_ino
    assert path.read_bytes() == DATA
    assert Path(holder.hold(SHA256, DATA)).stat().st_ino == first
    assert path.parent == Path(holder.place())
    holder.forget(SHA256)
    assert not path.exists()


def test_bytes_that_changed_on_the_way_are_refused(made: MakeHolder) -> None:
    with pytest.raises(BlobError, match="not the file with hash"):
        made().hold(SHA256, b"weightz")


def test_files_of_a_model_get_their_names_back(made: MakeHolder) -> None:
    holder = made()
    for _ in range(2):  # a second time changes nothing
        folder = Path(holder.gather(["config.json"], holder.hold(SHA256, DATA)))
    assert [(path.name, path.read_bytes()) for path in folder.iterdir()] == [("config.json", DATA)]


def test_what_a_killed_run_left_is_cleared_away_and_what_a_live_one_has_is_not(made: MakeHolder) -> None:
    live, killed = made(), made()
    place = Path(killed.place())
    killed._lock.close()  # type: ignore[union-attr]  # as its process' end does
    made()
    assert Path(live.place()).is_dir()
    assert not place.exists()


def test_nothing_is_left_at_the_end(made: MakeHolder, tmp_path: Path) -> None:
    holder = made()
    holder.hold(SHA256, DATA)
    holder.clear()
    assert list(tmp_path.iterdir()) == []


def test_it_tells_what_the_node_has(made: MakeHolder) -> None:
    assert versions_of(made().versions()) == versions()
