"""Many devices at a time: each on a thread of its own, with one line of progress; one that fails stops no other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.table import Column, Table
from rich.text import Text

from harness.deploy.visit import Note, Outcome
from harness.deploy.wish import Wish

Visit = Callable[[Wish, Note], Outcome]


class Board:
    """What is done on each device now: one line each, in place on a terminal, one after another elsewhere."""

    def __init__(self, console: Console, hosts: Sequence[str]) -> None:
        self._console = console
        self._says = dict.fromkeys(hosts, "waits")
        self._lock = threading.Lock()
        self._live: Live | None = None

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show it while the block runs."""
        if not self._console.is_terminal:
            yield
            return
        with Live(self._table(), console=self._console, refresh_per_second=8) as self._live:
            yield

    def note(self, host: str, says: str) -> None:
        """Say what is done on a device now. May be called on any thread."""
        with self._lock:
            self._says[host] = says
            if self._live is None:
                self._console.print(f"{host}: {says}", markup=False, highlight=False, soft_wrap=True)
            else:
                self._live.update(self._table())

    def _table(self) -> Table:
        table = Table.grid(Column(no_wrap=True), Column(no_wrap=True), padding=(0, 2))
        for host, says in self._says.items():
            table.add_row(Text(host), Text(says))
        return table


def visit_all(wishes: Sequence[Wish], visit: Visit, console: Console, jobs: int) -> list[Outcome]:
    """Visit each device, up to ``jobs`` at a time; how it went, in their order."""
    board = Board(console, [wish.host for wish in wishes])

    def visited(wish: Wish) -> Outcome:
        outcome = visit(wish, lambda says: board.note(wish.host, says))
        board.note(wish.host, f"{'done' if outcome.done else 'failed'} after {outcome.seconds:.1f} s")
        return outcome

    with board.shown(), ThreadPoolExecutor(max_workers=max(1, min(jobs, len(wishes)))) as pool:
        try:
            return list(pool.map(visited, wishes))
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)  # those that wait for their turn do not begin
            raise


def summary(console: Console, outcomes: Sequence[Outcome]) -> None:
    """How it went with each: failures with what the device said, then a table where there are several."""
    for outcome in outcomes:
        if outcome.log:
            console.print(
                f"\n{outcome.host} said:\n{_printable(outcome.log).rstrip()}\n",
                markup=False,
                highlight=False,
                soft_wrap=True,
            )
    if len(outcomes) == 1:
        console.print(f"{outcomes[0].host}: {_sentence(outcomes[0])}", markup=False, highlight=False, soft_wrap=True)
        return
    table = Table("device", "agent", "", Column("s", justify="right"), "", box=None)
    for outcome in outcomes:
        state = "done" if outcome.done else "FAILED"
        table.add_row(outcome.host, outcome.name, state, f"{outcome.seconds:.1f}", Text(_sentence(outcome)))
    console.print(table)
    done = sum(outcome.done for outcome in outcomes)
    console.print(f"{done} of {len(outcomes)} devices done", highlight=False)


def _sentence(outcome: Outcome) -> str:
    return _printable(outcome.says.removeprefix(f"{outcome.host}: "))


def _printable(said: str) -> str:
    """What a device said, without what would move a terminal's cursor or colour it."""
    return "".join(mark if mark.isprintable() or mark in "\n\t" else " " for mark in said)
