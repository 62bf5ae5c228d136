"""`make perf` as a process: benchmarks one after another, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from perf import store
from perf.finding import chosen, described, found, loaded

MAIN = Path(__file__).parent / "perf" / "main.py"
SOUND = """
import os
from perf.base import Benchmark, Figure, Pace, Result
def run(pace: Pace) -> Result:
    assert not list(pace.folder.iterdir())
    (pace.folder / "left").write_text("behind")
    values = pace.side_by_side({{"one": lambda: 1.0}})["one"]
    one = Figure(name="one", unit="s", values=tuple(values), at_most=2)
    return Result(letter="{letter}", figures=(one, Figure(name="pid", unit="", values=(os.getpid(),))))
BENCHMARK = Benchmark("{letter}", "Sound", "Measures nothing.", run)
"""
BROKEN = 'raise OSError("the disk is full\\nand more")'


@pytest.fixture
def benchmarks(tmp_path: Path) -> Path:
    """A folder of three benchmarks; b breaks."""
    folder = tmp_path / "benchmarks"
    folder.mkdir()
    for letter in "ac":
        (folder / f"bench_{letter}_sound.py").write_text(SOUND.format(letter=letter))
    (folder / "bench_b_broken.py").write_text(BROKEN)
    return folder


def perf(benchmarks: Path, *words: str) -> subprocess.CompletedProcess[str]:
    where = ["--benchmarks", benchmarks, "--docs", benchmarks / "docs", "--scratch", benchmarks / "scratch"]
    return subprocess.run(
        [sys.executable, MAIN, *where, *words], capture_output=True, text=True, timeout=120, check=False
    )


def test_one_that_breaks_takes_nothing_with_it(benchmarks: Path) -> None:
    ran = perf(benchmarks)
    assert ran.returncode == 1
    assert ran.stdout.splitlines()[-1].endswith("docs/performance.md; broke: b")
    book = store.read(benchmarks / "docs" / "performance.json")
    assert [one.letter for one in book.measurements] == ["a", "c"]
    assert book.broken == {"b": "OSError: the disk is full"}
    assert [one.result.figures[0].values for one in book.measurements] == [(1.0,) * 5] * 2
    assert len({one.result.figures[1].values for one in book.measurements}) == 2  # processes of their own
    assert "**At its last try it broke.**" in (benchmarks / "docs" / "performance.md").read_text()
    assert list((benchmarks / "scratch").iterdir()) == []


def test_a_letter_is_measured_again_and_a_quick_try_goes_elsewhere(benchmarks: Path) -> None:
    assert perf(benchmarks, "--only", "a c").returncode == 0
    first = store.read(benchmarks / "docs" / "performance.json")
    assert perf(benchmarks, "--only", "c").returncode == 0
    second = store.read(benchmarks / "docs" / "performance.json")
    assert second.measurements[0] == first.measurements[0]
    assert second.measurements[1].result != first.measurements[1].result
    assert perf(benchmarks, "--only", "a", "--quick").returncode == 0
    assert store.read(benchmarks / "docs" / "performance.json") == second
    (quick,) = store.read(benchmarks / "scratch" / "quick" / "performance.json").measurements
    assert (quick.quick, quick.repetitions, quick.warm_ups) == (True, 1, 0)


def test_a_letter_that_nobody_has_is_said_at_once(benchmarks: Path) -> None:
    ran = perf(benchmarks, "--only", "a x")
    assert (ran.returncode, ran.stderr) == (2, "perf: no benchmark has the letter x; choose from: a b c\n")


def test_two_files_of_one_letter_are_refused(benchmarks: Path) -> None:
    (benchmarks / "bench_a_twin.py").write_text(SOUND.format(letter="a"))
    with pytest.raises(ValueError, match="have one letter"):
        found(benchmarks)


def test_a_benchmark_is_named_after_its_letter(benchmarks: Path) -> None:
    wrong = benchmarks / "bench_d_wrong.py"
    wrong.write_text(SOUND.format(letter="e"))
    with pytest.raises(ValueError, match="name the file after its letter"):
        loaded(wrong)
    wrong.write_text("BENCHMARK = 3")
    with pytest.raises(ValueError, match="has no BENCHMARK"):
        loaded(wrong)


def test_letters_are_chosen_in_their_own_order(benchmarks: Path) -> None:
    assert list(chosen(found(benchmarks), "c,a")) == ["a", "c"]
    assert list(chosen(found(benchmarks), "")) == ["a", "b", "c"]


def test_every_benchmark_of_the_suite_has_a_letter_of_its_own_and_the_others_say_what_they_are() -> None:
    letters = found(MAIN.parent)
    assert {letter: loaded(path).letter for letter, path in letters.items()} == {letter: letter for letter in letters}
    others = described(sorted((MAIN.parent.parent / "benchmarks").glob("*.py")))
    assert others
    assert all(words.endswith(".") for words in others.values())
