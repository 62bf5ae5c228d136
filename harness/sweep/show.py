"""What people see of a sweep: its plan, each run as it begins and ends, what is left, and what was found."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from harness.remaining import spoken
from harness.sweep.folder import Standing, SweepFolder
from harness.sweep.results import CAPTION, Row, cells, columns
from harness.sweep.survey import Survey, left_s


def say(console: Console, line: str, style: str | None = None) -> None:
    """A line as it is: what paths and reasons say may look like markup."""
    console.print(line, style=style, markup=False, highlight=False, soft_wrap=True)


def counted(number: int, noun: str) -> str:
    """``1 run``, ``2 runs``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def standing_line(survey: Survey) -> str:
    """How many runs there are, and how many of them are done, failed and left."""
    failed = f", {survey.count('failed')} failed" if survey.count("failed") else ""
    return f"{survey.count('done')} of {survey.total} runs done{failed}, {survey.left} left"


def opening(console: Console, folder: SweepFolder, survey: Survey) -> None:
    """What the sweep consists of, and how far it is."""
    asked = folder.asked
    tests = counted(len(asked.methods) * len(asked.seeds), "test run")
    tuning = f"{counted(len(survey.validation), 'validation run')} of {', '.join(asked.tuned)}, then "
    seeds = f"seed{'s' if len(asked.seeds) > 1 else ''} {', '.join(map(str, asked.seeds))}"
    text = f"{tuning if asked.tuned else ''}{tests} of {', '.join(asked.methods)} with {seeds}"
    say(console, f"{folder.path}: {text}")
    say(console, standing_line(survey), "bold")


def plan(console: Console, survey: Survey, folder: SweepFolder) -> None:
    """Every run with what is done of it."""
    table = Table("stage", "method", "lr", "seed", "state", "rounds", Column("result", overflow="fold"))
    for line in survey.overview(folder).runs:
        lr = "the best" if line.lr is None else f"{line.lr:g}"
        result = line.reason or ("" if line.best is None else f"{line.best:.4f}")
        rounds = f"{line.rounds_done}/{line.rounds}"
        table.add_row(line.stage, line.method, lr, str(line.seed), line.state, rounds, escape(result))
    console.print(table)


def results(console: Console, rows: Sequence[Row]) -> None:
    """What was found, one line for each rate of a method."""
    table = Table(*columns(rows))
    for row in rows:
        table.add_row(*cells(row), style="bold" if row.chosen else None)
    console.print(table)
    say(console, CAPTION, "dim")


class Screen:
    """Tells of each run as it begins and ends, of how many are left, and for how long."""

    def __init__(self, console: Console, look: Callable[[], Survey], folder: SweepFolder, jobs: int) -> None:
        self._console = console
        self._look = look
        self._folder = folder
        self._jobs = jobs
        self._spent_s: list[float] = []
        self._spent_rounds: list[int] = []

    def began(self, standing: Standing) -> None:
        """See :class:`harness.sweep.queue.Watcher`."""
        how = f"goes on after round {standing.rounds_done}" if standing.folder else "begins"
        say(self._console, f"{standing.planned.title}: {how}", "dim")

    def left_to_another(self, standing: Standing) -> None:
        """See :class:`harness.sweep.queue.Watcher`."""
        where = standing.folder.path if standing.folder else "its folder"
        say(self._console, f"{standing.planned.title}: waiting for the process that writes {where}", "yellow")

    def ended(self, standing: Standing, seconds: float, rounds: int) -> None:
        """See :class:`harness.sweep.queue.Watcher`."""
        self._spent_s.append(seconds)
        self._spent_rounds.append(rounds)
        say(self._console, f"{standing.planned.title}: {self._how(standing)}", self._style(standing))
        survey = self._look()
        left = left_s(self._spent_s, self._spent_rounds, survey.rounds_left, self._jobs)
        time = f", about {spoken(left)}" if survey.left else ""
        say(self._console, f"{standing_line(survey)}{time}", "bold")

    def _how(self, standing: Standing) -> str:
        outcome, metric = standing.outcome, standing.planned.experiment.target.metric
        if outcome is None:
            log = self._folder.log(standing.folder) if standing.folder else "its log"
            return f"its process ended before it was done; the end of {log} tells why"
        if outcome.state == "failed":
            return f"failed: {outcome.reason}"
        best = "nothing was evaluated" if outcome.best is None else f"{metric} {outcome.best:.4f}"
        return f"done, {best}"

    @staticmethod
    def _style(standing: Standing) -> str | None:
        return None if standing.state == "done" else "yellow"
