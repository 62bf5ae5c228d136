"""Which benchmarks there are: each is a file ``bench_<letter>_<name>.py`` that has a ``BENCHMARK``."""

from __future__ import annotations

import ast
import sys
from collections.abc import Sequence
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from perf.base import Benchmark


def found(folder: Path) -> dict[str, Path]:
    """The files of benchmarks by their letters, in order. None is imported: one that breaks takes nothing with it.

    Raises:
        ValueError: two files have one letter.
    """
    letters: dict[str, Path] = {}
    for path in sorted(folder.glob("bench_*.py")):
        letter = path.stem.split("_")[1]
        if letter in letters:
            raise ValueError(f"{path.name} and {letters[letter].name} have one letter; give one of them another")
        letters[letter] = path
    return letters


def chosen(letters: dict[str, Path], only: str) -> dict[str, Path]:
    """Those of ``only``, letters between spaces or commas; all of them where it is empty.

    Raises:
        ValueError: a letter is nobody's.
    """
    wanted = only.replace(",", " ").split() or list(letters)
    unknown = [letter for letter in wanted if letter not in letters]
    if unknown:
        raise ValueError(f"no benchmark has the letter {', '.join(unknown)}; choose from: {' '.join(letters)}")
    return {letter: path for letter, path in letters.items() if letter in wanted}


def loaded(path: Path) -> Benchmark:
    """The benchmark of a file, imported under its own name, so that processes it starts may import it too.

    Raises:
        ValueError: the file has no ``BENCHMARK``, or one of another letter.
    """
    spec = spec_from_file_location(f"perf.{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ValueError(f"{path} is no Python file")
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    benchmark = getattr(module, "BENCHMARK", None)
    if not isinstance(benchmark, Benchmark):
        raise ValueError(f"{path.name} has no BENCHMARK; write: BENCHMARK = Benchmark(letter, title, what, run)")
    if benchmark.letter != path.stem.split("_")[1]:
        raise ValueError(f"{path.name} has the benchmark '{benchmark.letter}'; name the file after its letter")
    return benchmark


def described(paths: Sequence[Path]) -> dict[str, str]:
    """The first line of what each file says of itself, by the file's name; nothing is imported."""
    return {path.name: (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n")[0] for path in paths}
