"""How the command ends where something is wrong: one sentence on stderr, and an exit code."""

from __future__ import annotations

import sys

from harness.errors import FederaBenchError, UsageError


def ended(error: Exception) -> int:
    """Say what went wrong in one sentence; the exit code."""
    if isinstance(error, FederaBenchError):
        complain(str(error))
        return error.exit_code
    if hasattr(error, "exit_code") and hasattr(error, "format_message"):  # the parser's own usage errors
        _, *command = getattr(getattr(error, "ctx", None), "command_path", "").split() or [""]
        complain(f"{error.format_message().rstrip('.')}; see: {' '.join(['federa-bench', *command, '--help'])}")
        return int(error.exit_code)
    if isinstance(error, OSError) and error.filename:
        complain(f"{error.filename}: {error.strerror}; mend that, then go on (federa-bench status says how)")
        return 1
    if isinstance(error, ModuleNotFoundError):
        complain(f"package {error.name} is not installed here; install: pip install 'federa-bench[controller]'")
        return UsageError.exit_code
    complain(f"unexpected {type(error).__name__}: {error}; run again with --debug for the traceback")
    return 1


def complain(sentence: str) -> None:
    """Say it on stderr."""
    sys.stderr.write(f"federa-bench: {sentence}\n")
