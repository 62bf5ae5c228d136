"""The command ``federa-bench shaper``: the small privileged helper that keeps links in the kernel."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import FrameType

from harness.durable import taken_alone
from harness.errors import FederaBenchError, ShapingError, UsageError
from harness.shaping.helper import Helper, listen
from harness.shaping.keeper import Keeper
from harness.shaping.peers import group_id, may_change_interfaces, open_to
from harness.shaping.tc import Tc, TcError
from harness.shaping.words import SOCKET

log = logging.getLogger("shaper")

LOCK_FLAGS = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
"""Whoever may read a file may lock it, and whoever could lay a link there would choose what root opens."""
END_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""SIGHUP is the end of a terminal that the helper was started in."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the helper until a signal ends it; returns the exit code: 0 done, 1 it cannot work here, 2 bad usage."""
    options = _parser().parse_args(argv)
    logging.basicConfig(level=options.log_level.upper(), format="%(name)s %(levelname)s %(message)s", force=True)
    try:
        return _clean(options.socket) if options.clean else _serve(options.socket, options.group)
    except TcError as error:
        print(f"federa-bench shaper: {error}", file=sys.stderr)
        return 1
    except FederaBenchError as error:
        print(f"federa-bench shaper: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"federa-bench shaper: {options.socket} cannot be used ({error.strerror})", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="federa-bench shaper",
        description="Keep the links of agents and controllers on this machine at their rates, by tc. Needs root, or "
        "CAP_NET_ADMIN alone.",
    )
    parser.add_argument(
        "--socket", type=Path, default=Path(SOCKET), metavar="PATH", help="where clients ask (%(default)s)"
    )
    parser.add_argument("--group", metavar="NAME", help="the group whose members may ask (none: root alone)")
    parser.add_argument("--clean", action="store_true", help="remove what a killed helper left behind, and end")
    parser.add_argument("--log-level", default="info", choices=["debug", "info", "warning", "error"])
    return parser


def _clean(path: Path) -> int:
    keeper = _keeper()
    with _alone(path) if path.parent.is_dir() else nullcontext():
        _report(keeper.sweep())
    return 0


def _serve(path: Path, group: str | None) -> int:
    gid = None if group is None else group_id(group)
    keeper = _keeper()
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    with _alone(path):
        end_fd = _end()
        _report(keeper.sweep())
        with listen(str(path), lambda: open_to(path, gid)) as listener:
            log.info("listens at %s", path)
            try:
                Helper(keeper, listener, end_fd, gid).run()
            finally:
                path.unlink(missing_ok=True)
    return 0


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Be the only one at this socket: a helper, or who cleans up, would take the flows of another away."""
    with os.fdopen(os.open(path.with_name(f"{path.name}.lock"), LOCK_FLAGS, 0o600), "w") as lock:
        if not taken_alone(lock):
            raise UsageError(f"a helper runs at {path} already; use that one, or end it first")
        yield


def _keeper() -> Keeper:
    if not may_change_interfaces():
        raise ShapingError("only root, or a process with CAP_NET_ADMIN, may change network interfaces; start it so")
    return Keeper(Tc(), time.monotonic)


def _report(left: Sequence[str]) -> None:
    if left:
        log.warning("removed what an earlier helper left on %s", ", ".join(left))


def _end() -> int:
    """A descriptor that can be read once one of the signals came."""
    readable, writable = os.pipe()

    def note(_number: int, _frame: FrameType | None) -> None:
        os.write(writable, b".")

    for number in END_SIGNALS:
        signal.signal(number, note)
    return readable


if __name__ == "__main__":
    sys.exit(main())
