"""A service of a few lines that feeds the watchdog as an agent does, until it is told that it makes no progress."""

import select
import signal
import sys
import time

from agents.watchdog import Notifier


def main() -> None:
    """Turn until SIGTERM; after SIGUSR1 turn without progress."""
    progress = True

    def wedge(_number: int, _frame: object) -> None:
        nonlocal progress
        progress = False

    signal.signal(signal.SIGUSR1, wedge)
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(0))
    notifier = Notifier.from_environment()
    notifier.ready("turns")
    while True:
        now_s = time.monotonic()
        if progress:
            notifier.progress(now_s)
        select.select([], [], [], notifier.wait_s(now_s))


if __name__ == "__main__":
    main()
