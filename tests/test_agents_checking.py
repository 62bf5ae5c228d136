from pathlib import Path

import pytest
from stub_controller import blob

from agents.checking import Check

DATA = bytes(range(256)) * 100


def looks(path: Path, most_bytes: int) -> list[bool | None]:
    check, seen = Check(blob("w", DATA), path), []
    while not seen or seen[-1] is None:
        seen.append(check.holds(most_bytes))
    return seen


@pytest.mark.parametrize("most_bytes", [len(DATA), 7000, 1000])
def test_a_file_is_hashed_piece_by_piece(tmp_path: Path, most_bytes: int) -> None:
    (tmp_path / "w").write_bytes(DATA)
    pieces = -(-len(DATA) // most_bytes)
    assert looks(tmp_path / "w", most_bytes) == [None] * (pieces - 1) + [True]


@pytest.mark.parametrize("data", [DATA[:-1] + b"x", DATA[:-1], b""])
def test_a_damaged_one_is_removed(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "w").write_bytes(data)
    assert looks(tmp_path / "w", 7000)[-1] is False
    assert not (tmp_path / "w").exists()


def test_one_that_is_missing_or_goes_meanwhile_is_not_here(tmp_path: Path) -> None:
    assert looks(tmp_path / "w", 7000) == [False]
    (tmp_path / "w").write_bytes(DATA)
    check = Check(blob("w", DATA), tmp_path / "w")
    assert check.holds(1000) is None
    (tmp_path / "w").unlink()
    assert check.holds(1000) is False
