"""Many devices at a time: one that fails stops no other, and a line says where each is."""

from __future__ import annotations

import io
import threading

from rich.console import Console

from harness.deploy.fleet import summary, visit_all
from harness.deploy.visit import Note, Outcome
from harness.deploy.wish import Wish

WISHES = [Wish(host=f"orin-0{number}", name=f"orin-0{number}") for number in (1, 2, 3)]


def test_all_are_visited_at_once_and_told_in_their_order() -> None:
    together = threading.Barrier(len(WISHES), timeout=30)

    def visit(wish: Wish, note: Note) -> Outcome:
        note("1/1 waits for the others")
        together.wait()
        done = wish.host != "orin-02"
        return Outcome(
            wish.host, wish.name, done, f"{wish.host}: it says", 1.0, "its log" if not done else "", not done
        )

    out = io.StringIO()
    console = Console(file=out, width=120)
    outcomes = visit_all(WISHES, visit, console, jobs=10)
    summary(console, outcomes)
    assert [outcome.done for outcome in outcomes] == [True, False, True]
    assert "orin-03: 1/1 waits for the others" in out.getvalue()
    assert "orin-02 said:\nits log" in out.getvalue()
    assert "2 of 3 devices done" in out.getvalue()


def test_a_terminal_shows_one_line_for_each_device() -> None:
    out = io.StringIO()
    console = Console(file=out, width=80, force_terminal=True)
    visit_all(WISHES, lambda wish, note: Outcome(wish.host, wish.name, True, "up", 1.0), console, jobs=1)
    assert out.getvalue().count("done after 1.0 s") >= len(WISHES)
