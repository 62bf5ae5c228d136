"""``make perf``: measures the harness itself, a benchmark after another, and writes docs/performance.md.

    python tests/perf/main.py                     all; the machine should have nothing else to do
    python tests/perf/main.py --only "a c"        these again; the others' results stay, with their own dates
    python tests/perf/main.py --quick             small and once, into .perf/quick: to see that all of it works

Ends with 0, with 1 where a benchmark broke, with 2 where a letter is nobody's.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.pop(0)  # this folder: its modules are perf.base and so on
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import msgspec
from perf import page, store
from perf.finding import chosen, described, found
from perf.store import Book, Measurement

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
LONGEST_S = 3600.0
"""Of one benchmark, with what it sets up the first time."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", default="", metavar="LETTERS", help="measure these again, as in: a c")
    parser.add_argument("--quick", action="store_true", help="small and once, into a page of its own")
    parser.add_argument("--benchmarks", type=Path, default=HERE, metavar="DIR", help="where they are (%(default)s)")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs", metavar="DIR", help="where the page goes")
    parser.add_argument("--scratch", type=Path, default=ROOT / ".perf", metavar="DIR", help="of the runs' disk")
    asked = parser.parse_args(arguments)
    try:
        wanted = chosen(found(asked.benchmarks), asked.only)
    except ValueError as error:
        print(f"perf: {error}", file=sys.stderr)
        return 2
    into = asked.scratch / "quick" if asked.quick else asked.docs
    asked.scratch.mkdir(parents=True, exist_ok=True)
    broken = [letter for letter, file in wanted.items() if not kept(letter, file, into, asked.scratch, asked.quick)]
    print(f"perf: {into / 'performance.md'}" + (f"; broke: {', '.join(broken)}" if broken else ""))
    return 1 if broken else 0


def kept(letter: str, file: Path, into: Path, scratch: Path, quick: bool) -> bool:
    """Measure it, print and keep what was found, and write the page anew; whether it did not break."""
    found_ = measured(file, scratch, quick)
    book = store.read(into / "performance.json")
    if isinstance(found_, Measurement):
        book = book.with_(found_)
        print("\n".join(page.told(found_)), flush=True)
    else:
        book = book.with_broken(letter, found_)
        print(f"{letter}: broke: {found_}", flush=True)
    written(book, into)
    return isinstance(found_, Measurement)


def written(book: Book, into: Path) -> None:
    """Write the raw values, and the page that is made of them."""
    store.write(book, into / "performance.json")
    beside = described(sorted((HERE.parent / "benchmarks").glob("*.py")))
    (into / "performance.md").write_text(page.page(book, beside), encoding="utf-8")


def measured(file: Path, scratch: Path, quick: bool, longest_s: float = LONGEST_S) -> Measurement | str:
    """Measure it in a process of its own, which is gone with all that it started; what broke it, in words."""
    into = scratch / f"{file.stem}.json"
    into.unlink(missing_ok=True)
    command = [sys.executable, str(HERE / "one.py"), str(file), "--into", str(into), "--scratch", str(scratch)]
    process = subprocess.Popen([*command, *(["--quick"] if quick else [])], cwd=ROOT, start_new_session=True)
    try:
        code = process.wait(timeout=longest_s)
    except subprocess.TimeoutExpired:
        return f"it took longer than {longest_s:g} s"
    finally:
        _end(process)
    if not into.exists():
        return f"its process ended with {code} and said no reason"
    found_ = msgspec.json.decode(into.read_bytes(), type=Measurement | str)
    into.unlink()
    return found_


def _end(process: subprocess.Popen[bytes]) -> None:
    """End what is left of its session: agents of a benchmark that broke would disturb the next one."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:  # nothing is
        return
    process.wait()


if __name__ == "__main__":
    sys.exit(main())
