"""The ground of every fault: a real run with agents of its own, to be disturbed, and to end as if nothing had been.

Controller and agents are processes over real sockets. Agents are started again when they end, as systemd does it. The
null trainer with noise makes runs fast, and their states tell whether each update counted once (see ``books.py``).
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from benchtools import PATIENCE_S, TINY, command, only_run
from growth import Watch
from supervised import Supervised
from tail import Tail

from harness.rounds.events import AgentJoined, Aggregated, AnyEvent, UpdateReceived
from harness.store import RunFolder

LOOK_S = 0.002


@dataclass(frozen=True)
class Setting:
    """A run: so many rounds of so many clients, a state of so many bytes, agents, and the link of each.

    ``rate_mbps`` None: not shaped. ``sets`` are further overrides, such as ``rounds.deadline_s=5``.
    """

    rounds: int = 3
    clients: int = 4
    agents: int = 2
    state_bytes: int = 20_000
    rate_mbps: float | None = None
    lost_after_s: float = 3.0
    sets: tuple[str, ...] = ()

    @property
    def what_counts(self) -> tuple[object, ...]:
        """What the states of a run in which everybody takes part depend on, and what its processes hold."""
        return self.rounds, self.clients, self.agents, self.state_bytes, self.rate_mbps, self.sets

    def arguments(self) -> list[str]:
        """What ``federa-bench run`` is given for it."""
        rate = "" if self.rate_mbps is None else f", rate_mbps: {self.rate_mbps}"
        values = [
            "train.trainer='null'",
            "train.null_noise=0.05",
            f"train.null_state_bytes={self.state_bytes}",
            f"rounds.count={self.rounds}",
            f"rounds.clients_per_round={self.clients}",
            "rounds.max_attempts=50",
            f"agents.count={self.agents}",
            f"agents.lost_after_s={self.lost_after_s}",
            f"link={{name: here{rate}}}",
            *self.sets,
        ]
        return [TINY, *(word for value in values for word in ("--set", value))]


@dataclass
class Ground:
    """One run in ``folder``. Use it as a context; at its end no process is left.

    Agents connect to ``connect`` (None: the controller itself), so that a proxy can stand between. The prefixes are put
    before a command line, such as strace's; ``*_env`` are added to the environment.
    """

    folder: Path
    setting: Setting
    port: int
    connect: str | None = None
    controller_prefix: Sequence[str] = ()
    agent_prefix: Sequence[str] = ()
    controller_env: Mapping[str, str] = field(default_factory=dict)
    agent_env: Mapping[str, str] = field(default_factory=dict)
    agents: dict[str, Supervised] = field(default_factory=dict)
    controller: subprocess.Popen[bytes] | None = None
    watch: Watch = field(default_factory=Watch)
    _tail: Tail | None = None

    def __enter__(self) -> Ground:
        (self.folder / "logs").mkdir(parents=True)
        try:
            self._control("run", *self.setting.arguments())
            for number in range(1, self.setting.agents + 1):
                self.add_agent(f"agent-{number}")
            self.until(lambda: list(self.folder.glob("runs/*/events.jsonl")), "the run's first event")
        except BaseException as error:
            self.__exit__(type(error), error, None)
            raise
        self.run = only_run(self.folder / "runs")
        self._tail = Tail(self.run / "events.jsonl")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        if isinstance(error, Exception):
            print(self.said()[-4000:], *(f"{a.name}: {a.said()[-1500:]}" for a in self.agents.values()), sep="\n")

    def close(self) -> None:
        """End all processes; a second time it changes nothing."""
        for agent in self.agents.values():
            agent.end()
        self.kill_controller()

    def add_agent(self, name: str) -> Supervised:
        """Start an agent, and start it again whenever it ends."""
        argv = [*self.agent_prefix, *command("agent"), "--connect", self.connect or f"tcp://127.0.0.1:{self.port}"]
        argv += ["--name", name, "--cache", str(self.folder / "caches" / name), "--stop-on-stdin-eof"]
        self.agents[name] = Supervised(name, argv, {**os.environ, **self.agent_env}, self.folder / "logs" / name)
        return self.agents[name]

    def resume(self) -> None:
        """``federa-bench resume``, after the controller ended."""
        self._control("resume", str(self.run))

    def kill_controller(self) -> None:
        """SIGKILL, also of a stopped one."""
        if self.controller is not None:
            self.controller.kill()
            self.controller.wait()

    def signal_controller(self, number: signal.Signals) -> None:
        """Send the controller a signal."""
        assert self.controller is not None
        self.controller.send_signal(number)

    def end_controller(self, number: signal.Signals) -> int:
        """Send the controller a signal and wait for its end; its exit code."""
        self.signal_controller(number)
        assert self.controller is not None
        return self.controller.wait(PATIENCE_S)

    def until(self, fact: Callable[[], object], what: str, patience_s: float = PATIENCE_S) -> None:
        """Wait for a fact; agents that end meanwhile are started again.

        Raises:
            AssertionError: it did not come about, or the controller ended before.
        """
        limit_s = time.monotonic() + patience_s
        while not fact():
            for agent in self.agents.values():
                agent.tend()
            if self._tail is not None and self._under_way():
                self.watch.look(self._pids())
            assert time.monotonic() < limit_s, f"waited in vain for {what}"
            assert self.controller is None or self.controller.poll() is None or fact(), f"ended before {what}"
            time.sleep(LOOK_S)

    def events(self) -> list[AnyEvent]:
        """All events so far."""
        return self._tail.read() if self._tail else []

    def count(self, kind: type[AnyEvent]) -> int:
        """How many events of a kind there are so far."""
        return sum(isinstance(event, kind) for event in self.events())

    def updates(self) -> list[UpdateReceived]:
        """The updates so far."""
        return [event for event in self.events() if isinstance(event, UpdateReceived)]

    def progress(self, agent: str | None = None) -> int:
        """How many updates (of one agent) and new states were recorded so far; a run that is done has one more."""
        updates = sum(agent in (None, event.record.agent) for event in self.updates())
        states = 0 if agent else self.count(Aggregated)
        return updates + states + self.done()

    def until_seen(self, kind: type[AnyEvent], count: int = 1) -> None:
        """Wait for the ``count``-th event of a kind."""
        self.until(lambda: self.count(kind) >= count, f"{count} x {kind.__name__}")

    def until_progress(self, since: int, agent: str | None = None) -> float:
        """Wait until more is recorded than ``since``; seconds it took."""
        began_s = time.monotonic()
        self.until(lambda: self.progress(agent) > since, f"progress{f' of {agent}' if agent else ''}")
        return time.monotonic() - began_s

    def until_later(self, seconds: float) -> None:
        """Let the run go on for so long, at most to its end."""
        moment_s = time.monotonic() + seconds
        self.until(lambda: time.monotonic() >= moment_s or self.done(), f"{seconds} s to pass")

    def there(self, pattern: str) -> list[Path]:
        """The files below its folder that are so called just now."""
        try:
            return list(self.folder.glob(pattern))
        except FileNotFoundError:  # a folder was removed while it was read
            return []

    def done(self) -> bool:
        """Whether the run is done and let go of."""
        folder = RunFolder(self.run)
        return folder.read_header().state == "done" and not folder.is_locked()

    def finish(self) -> None:
        """Wait for the run's end. The report that follows is not waited for."""
        self.until(self.done, "the run's end")

    def said(self) -> str:
        """What the controllers printed."""
        return (self.folder / "logs" / "controller").read_text(errors="replace")

    def _under_way(self) -> bool:
        """Whether all agents came, and a round is still open: a controller that closes its sockets holds less."""
        return self.count(AgentJoined) >= self.setting.agents and self.count(Aggregated) < self.setting.rounds

    def _pids(self) -> dict[str, int]:
        """The present process of the controller and of each agent."""
        controller = {} if self.controller is None else {"controller": self.controller.pid}
        return {**controller, **{name: agent.pid for name, agent in self.agents.items()}}

    def _control(self, *arguments: str) -> None:
        bind = ["--bind", f"tcp://127.0.0.1:{self.port}", "--external"]
        with (self.folder / "logs" / "controller").open("ab") as log:
            self.controller = subprocess.Popen(
                [*self.controller_prefix, *command(*arguments, *bind)],
                cwd=self.folder,
                env={**os.environ, **self.controller_env},
                stdout=log,
                stderr=log,
            )


def free_port() -> int:
    """A port of loopback that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
