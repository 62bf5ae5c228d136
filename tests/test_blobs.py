from pathlib import Path

import pytest
from small_files import files_of
from stub_controller import blob

from harness.blobs import BlobFolder, Landing, blob_of, partial_of, put_back, read_span
from harness.errors import BlobError
from harness.protocol.messages import Corrupt, Received
from harness.protocol.transfer import Span

DATA = bytes(range(256)) * 40


def landed(landing: Landing, data: bytes, offset: int = 0) -> object:
    assert landing.arrived(offset, data)
    return landing.finish()


def test_a_file_is_known_by_its_content(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(DATA)
    assert blob_of(tmp_path / "x", "weights") == blob("weights", DATA)


def test_a_landed_blob_has_its_name_and_leaves_no_partial_file(tmp_path: Path) -> None:
    landing = Landing(blob("x", DATA), tmp_path / "x", resume=False)
    assert isinstance(landed(landing, DATA), Received)
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    assert (tmp_path / "x").read_bytes() == DATA


def test_a_partial_file_is_taken_up_where_it_ends(tmp_path: Path) -> None:
    first = Landing(blob("x", DATA), tmp_path / "x", resume=True)
    first.arrived(0, DATA[:3000])
    first.close()
    second = Landing(blob("x", DATA), tmp_path / "x", resume=True)
    assert second.incoming.landed_bytes == 3000
    assert isinstance(landed(second, DATA[3000:], 3000), Received)
    assert (tmp_path / "x").read_bytes() == DATA


def test_a_partial_file_is_thrown_away_where_the_blob_is_wanted_anew(tmp_path: Path) -> None:
    partial_of(blob("x", DATA), tmp_path / "x").write_bytes(DATA[:3000])
    landing = Landing(blob("x", DATA), tmp_path / "x", resume=False)
    assert landing.incoming.landed_bytes == 0
    landing.close()


def test_a_partial_file_with_other_bytes_is_found_out_and_replaced_and_may_be_damaged_once_more(tmp_path: Path) -> None:
    partial_of(blob("x", DATA), tmp_path / "x").write_bytes(b"?" * 3000)
    landing = Landing(blob("x", DATA), tmp_path / "x", resume=True)
    assert isinstance(landed(landing, DATA[3000:], 3000), Corrupt)
    assert isinstance(landed(landing, bytes(len(DATA))), Corrupt)
    assert isinstance(landed(landing, DATA), Received)
    assert (tmp_path / "x").read_bytes() == DATA


def test_what_is_left_of_another_blob_is_not_taken_up_and_goes_in_the_end(tmp_path: Path) -> None:
    other = Landing(blob("x", DATA[::-1]), tmp_path / "x", resume=True)
    other.arrived(0, DATA[:3000])
    held = Landing(blob("x", DATA[1:]), tmp_path / "x", resume=True)
    landing = Landing(blob("x", DATA), tmp_path / "x", resume=True)
    assert landing.incoming.landed_bytes == 0
    other.close()
    assert isinstance(landed(landing, DATA), Received)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x", held.partial.name]
    held.close()


def test_a_large_partial_file_is_taken_up_piece_by_piece(tmp_path: Path) -> None:
    partial_of(blob("x", DATA), tmp_path / "x").write_bytes(DATA[:3000])
    landing = Landing(blob("x", DATA), tmp_path / "x", resume=True, at_once=False)
    pieces = []
    while not landing.catch_up(1000):
        pieces.append(landing.incoming.landed_bytes)
    assert pieces == [1000, 2000, 3000]
    assert isinstance(landed(landing, DATA[3000:], 3000), Received)


@pytest.mark.parametrize("left", [DATA, DATA + b"more"])
def test_a_partial_file_that_is_complete_is_not_asked_for_again(tmp_path: Path, left: bytes) -> None:
    partial_of(blob("x", DATA), tmp_path / "x").write_bytes(left)
    landing = Landing(blob("x", DATA), tmp_path / "x", resume=True)
    assert landing.incoming.resumed_bytes == len(DATA)
    assert isinstance(landing.finish(), Received)
    assert (tmp_path / "x").read_bytes() == DATA


def test_a_file_that_landed_whole_is_checked_again_and_need_not_come_again(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(DATA)
    put_back(blob("x", DATA), tmp_path / "x")
    landing = Landing(blob("x", DATA), tmp_path / "x", resume=True)
    assert isinstance(landing.finish(), Received)
    put_back(blob("x", DATA[1:]), tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == DATA, "of another size, so it is no such blob"


def test_a_blob_that_is_damaged_twice_leaves_nothing(tmp_path: Path) -> None:
    landing = Landing(blob("x", DATA), tmp_path / "x", resume=True)
    landed(landing, bytes(len(DATA)))
    with pytest.raises(BlobError, match="twice"):
        landed(landing, bytes(len(DATA)))
    assert list(tmp_path.iterdir()) == []


def test_two_landings_of_one_blob_do_not_meet(tmp_path: Path) -> None:
    first = Landing(blob("x", DATA), tmp_path / "x", resume=True)
    first.arrived(0, DATA[:3000])
    second = Landing(blob("x", DATA), tmp_path / "x", resume=True)
    assert second.incoming.landed_bytes == 0
    assert isinstance(landed(second, DATA), Received)
    assert isinstance(landed(first, DATA[3000:], 3000), Received)
    assert (tmp_path / "x").read_bytes() == DATA


def test_whoever_finishes_first_leaves_the_others_their_partial_files(tmp_path: Path) -> None:
    landings = [Landing(blob("x", DATA), tmp_path / "x", resume=True) for _ in range(3)]
    assert len({landing.partial for landing in landings}) == 3
    for landing in landings:
        landing.arrived(0, DATA[:3000])
    for landing in landings:
        assert isinstance(landed(landing, DATA[3000:], 3000), Received)
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_a_file_that_shrank_is_not_sent_in_part(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(DATA[:3000])
    with (tmp_path / "x").open("rb") as file:
        assert read_span(file, Span(2000, 1000)) == DATA[2000:3000]
        with pytest.raises(BlobError, match="x has lost bytes since it was hashed: it ends at 3000"):
            read_span(file, Span(2000, 1001))


def test_an_empty_blob_is_complete_at_once(tmp_path: Path) -> None:
    landing = Landing(blob("x", b""), tmp_path / "x", resume=True)
    assert landing.incoming.complete
    assert isinstance(landing.finish(), Received)


def test_a_damaged_blob_of_the_folder_is_not_held(tmp_path: Path) -> None:
    folder, ref = BlobFolder(tmp_path), blob("x", DATA)
    assert not folder.holds(ref)
    landed(folder.land(ref), DATA)
    assert folder.holds(ref)
    folder.path(ref.sha256).write_bytes(bytes(len(DATA)))
    assert not folder.holds(ref)
    assert not folder.path(ref.sha256).exists()


def test_a_disk_that_is_full_raises_once_and_the_file_can_be_closed(tmp_path: Path) -> None:
    landing = Landing(blob("x", DATA), tmp_path / "x", resume=True)
    with files_of(4000):
        with pytest.raises(OSError, match="too large"):
            landing.arrived(0, DATA)
        landing.close()
    assert landing.partial.read_bytes() == DATA[:4000]


def test_what_was_left_of_other_blobs_goes_with_the_first_whole_one_unless_there_is_none(tmp_path: Path) -> None:
    left = partial_of(blob("x", b"another"), tmp_path / "x")
    for alone in (True, False):
        left.write_bytes(b"ano")
        landing = Landing(blob("x", DATA), tmp_path / "x", resume=False, alone=alone)
        assert isinstance(landed(landing, DATA), Received)
        assert left.exists() is alone


def test_a_landing_makes_its_folder(tmp_path: Path) -> None:
    assert isinstance(landed(Landing(blob("x", DATA), tmp_path / "a" / "b" / "x", resume=True), DATA), Received)
    assert (tmp_path / "a" / "b" / "x").read_bytes() == DATA
