"""A workforce of processes on this machine: they train side by side, and one that dies takes no client with it."""

from __future__ import annotations

import itertools
import logging
import select
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.errors import TrainerError
from harness.fleets.training_frames import Answer, Broken, Prepare, Prepared, Told, Train, answer_of
from harness.fleets.workforce import LONGEST_WAIT_S, Ended, Work
from harness.pipes.frames import OOM
from harness.pipes.process import TrainerProcess

COMMAND = (sys.executable, "-m", "harness.fleets.training_child")
QUICK_S = 0.02
"""Who carries groups out faster than this is given the next one before it asks: it would idle while it is told."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Group:
    """Works that were sent together and have not ended; ``retried`` where a process died of them before."""

    works: tuple[Work, ...]
    retried: bool = False


@dataclass
class Child:
    """A process, and the groups that it was given: the first is carried out, since ``since_s``."""

    process: TrainerProcess[Answer]
    ready: bool = False
    quick: bool = False
    since_s: float = 0.0
    groups: deque[Group] = field(default_factory=deque)

    def give(self, group: Group) -> None:
        """Have it carry out a group after those that it has."""
        if not self.groups:
            self.since_s = time.monotonic()
        self.groups.append(group)
        self.process.order(Train(works=group.works))

    def told(self, number: int) -> None:
        """A work of its first group ended."""
        left = tuple(work for work in self.groups[0].works if work.number != number)
        if left:
            self.groups[0] = replace(self.groups[0], works=left)
            return
        self.finish()

    def finish(self) -> Group:
        """Its first group is over; what has not ended of it."""
        now_s = time.monotonic()
        self.quick, self.since_s = now_s - self.since_s < QUICK_S, now_s
        return self.groups.popleft()


class Processes:
    """Implements :class:`harness.fleets.workforce.Workforce` with ``count`` processes, whose stderr goes to ``logs``.

    All are started at once and build their model; works go to those that are ready. Where a process dies while it
    trains, it is replaced, and the group that it trained is tried once more. Where one dies before it is ready, or
    the kernel takes it for its memory, the others do its work.

    Raises:
        OSError: a process could not be started, or the disk does not take its log.
    """

    def __init__(self, count: int, prepare: Prepare, logs: Path, command: Sequence[str] = COMMAND) -> None:
        self._prepare, self._logs, self._command = prepare, logs, command
        self._numbers = itertools.count(1)
        self._waiting: deque[Group] = deque()
        self._children: list[Child] = []
        logs.mkdir(parents=True, exist_ok=True)
        for _ in range(count):
            self._start()

    def send(self, works: Sequence[Work]) -> None:
        """See :class:`harness.fleets.workforce.Workforce`."""
        self._waiting.append(Group(tuple(works)))

    def ended(self, wake_fds: Sequence[int] = ()) -> list[Ended]:
        """See :class:`harness.fleets.workforce.Workforce`.

        Raises:
            OSError: a process could not read or write a file of the run.
            TrainerError: no model could be built, or no process is left.
        """
        self._hand_out()
        fds = [child.process.fd for child in self._children]
        readable = set(select.select([*fds, *wake_fds], [], [], LONGEST_WAIT_S)[0])
        heard = [child for child in self._children if child.process.fd in readable]
        ended = [one for child in heard for one in self._heard(child)]
        self._hand_out()  # so that nobody idles while the caller makes records of what ended
        return ended

    def close(self) -> None:
        """End all processes."""
        self._waiting.clear()
        for child in self._children:
            child.process.end()
        self._children.clear()

    def _start(self) -> None:
        path = self._logs / f"trainer-{next(self._numbers)}.log"
        child = Child(TrainerProcess(self._prepare.spec.threads, path, self._command, answer_of))
        self._children.append(child)
        child.process.order(self._prepare)

    def _hand_out(self) -> None:
        """Give what waits to those that have nothing to do, then one group ahead to those that are quick."""
        for held in (0, 1):
            for child in self._children:
                if self._waiting and child.ready and len(child.groups) == held and (child.quick or not held):
                    child.give(self._waiting.popleft())

    def _heard(self, child: Child) -> list[Ended]:
        """What a process says."""
        try:
            answers, gone = child.process.read()
        except TrainerError as error:
            child.process.end()
            return self._lost(child, str(error))
        ended = [one for answer in answers for one in self._answered(child, answer)]
        return ended + self._lost(child, child.process.died()) if gone else ended

    def _answered(self, child: Child, answer: Answer) -> list[Ended]:
        match answer:
            case Prepared():
                child.ready = True
                return []
            case Told():
                child.told(answer.ended.number)
                return [answer.ended]
            case Broken():
                return self._broken(child, answer)

    def _broken(self, child: Child, broken: Broken) -> list[Ended]:
        """An order ended in an error; one of a file is the run's, and so is one of building the model."""
        if broken.errno is not None:
            raise OSError(broken.errno, broken.reason, broken.path)
        if not child.ready:
            raise TrainerError(broken.reason)
        return _failed(child.finish(), broken.reason)

    def _lost(self, child: Child, reason: str) -> list[Ended]:
        """A process is gone: its first group may be why, the others wait again.

        Raises:
            TrainerError: it was the last one, and not even ready.
        """
        log.warning("a process that trains clients is gone: %s", reason)
        self._children.remove(child)
        cause = child.groups.popleft() if child.groups else None
        self._waiting.extendleft(reversed(child.groups))
        if child.ready and not (self._children and reason.startswith(OOM)):
            self._start()
        if not self._children:
            raise TrainerError(reason)
        if cause is None or cause.retried:
            return _failed(cause, reason)
        self._waiting.appendleft(replace(cause, retried=True))
        return []


def _failed(group: Group | None, reason: str) -> list[Ended]:
    return [Ended(number=work.number, failed=reason) for work in (group.works if group else ())]
