"""The process of one run of a sweep: ``python -m harness.sweep.child RUN OUT``.

A run has a process of its own so that one that crashes takes nothing with it, and its memory is given back. It ends,
resumable, when its standard input does: none outlives a sweep that was killed.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from harness.bench import RunOptions, carry_on
from harness.complaints import complain
from harness.errors import FederaBenchError
from harness.profiles import build
from harness.progress import ProgressScreen
from harness.store import RunFolder


def main(arguments: Sequence[str]) -> int:
    """Carry the run folder on to its end, with ``OUT/.cache`` as cache. Returns the exit code, as the command's."""
    threading.Thread(target=_end_with_standard_input, daemon=True).start()
    try:
        _carry_on(RunFolder.open(Path(arguments[0])), Path(arguments[1]))
    except FederaBenchError as error:
        complain(str(error))
        return error.exit_code
    return 0


def _carry_on(folder: RunFolder, out: Path) -> None:
    header = folder.read_header()
    experiment = build(header.profile, str(folder.path / "header.json"))
    with ProgressScreen(Console(stderr=True), experiment, header.method) as screen:
        carry_on(folder, RunOptions(out=out), screen)


def _end_with_standard_input() -> None:
    while os.read(0, 1):  # nothing is ever written to it
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
