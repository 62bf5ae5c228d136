"""The command ``federa-bench``: takes what the user wants, and ends in one sentence where it cannot be.

A command with a parser of its own is started by itself: an agent on a small device needs nothing of the controller's.
"""

from __future__ import annotations

import sys

from harness.complaints import complain, ended
from harness.errors import RunInterruptedError
from harness.passed_on import PASSED_ON, passed_on


def main(argv: list[str] | None = None) -> int:
    """Entry point. Returns the exit code: 0 done, 1 failed, 2 bad usage, 3 no agents came, 130 interrupted."""
    arguments = (sys.argv[1:] if argv is None else argv) or ["--help"]
    try:
        code = _carry_out(arguments)
    except KeyboardInterrupt:
        code = RunInterruptedError.exit_code
    except Exception as error:
        if "--debug" in arguments:
            raise
        return ended(error)
    if code == RunInterruptedError.exit_code:  # the parser's word for Ctrl-C outside of a run, too
        complain("interrupted")
    return code


def _carry_out(arguments: list[str]) -> int:
    name, *rest = arguments
    if name in PASSED_ON:
        return passed_on(name)(rest)
    from harness.commands import app

    return int(app(arguments, standalone_mode=False) or 0)
