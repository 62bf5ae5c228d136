"""The state of a run, and what a reader (progress, status, a test) may see of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from harness.records import Clock, Failure, RoundRecord
from harness.rounds.commands import SetDeadline
from harness.rounds.concluded import Concluded
from harness.rounds.events import AgentJoined, Aggregated, DeadlineKind
from harness.rounds.late import LateBook
from harness.rounds.plan import RunPlan
from harness.rounds.round import Round

Phase = Literal["gathering", "training", "aggregating", "evaluating", "finished", "aborted"]
"""What a run is at; docs/rounds.md draws them."""


class RunState:
    """All that is known of a run. Only :class:`harness.rounds.machine.RoundMachine` changes it."""

    def __init__(self, plan: RunPlan) -> None:
        self._plan = plan
        self._phase: Phase = "gathering"
        self._initial_state_sha256: str | None = None
        self._state_sha256 = ""
        self._agents: dict[str, AgentJoined] = {}
        self._free: list[str] = []
        """In a round that trains: the idle agents, by name. Kept, because a large fleet is not looked through for each
        event."""
        self._somebody_came = False
        self._svd_s = 0.0
        self._init_s = 0.0
        self._clock: Clock | None = None
        self._overlap = False
        self._current: Round | None = None
        self._before: Concluded | None = None
        self._extensions = 0
        self._deadlines: dict[DeadlineKind, SetDeadline] = {}
        self._aggregated: Aggregated | None = None
        self._records: list[RoundRecord] = []
        self._late = LateBook()

    @property
    def phase(self) -> Phase:
        """What the run is at; ``gathering`` until its first round."""
        return self._phase

    @property
    def opened(self) -> bool:
        """Whether the run has begun: a controller that finds it so resumes it."""
        return self._initial_state_sha256 is not None

    @property
    def over(self) -> bool:
        """Whether the run is finished or was given up."""
        return self._phase in ("finished", "aborted")

    @property
    def initial_state_sha256(self) -> str | None:
        """The state the run began with; None before it is opened."""
        return self._initial_state_sha256

    @property
    def state_sha256(self) -> str:
        """The newest global state."""
        return self._state_sha256

    @property
    def clock(self) -> Clock | None:
        """The run's clock; None until the agents are gathered."""
        return self._clock

    @property
    def overlap(self) -> bool:
        """Whether a state is evaluated while the next round trains; False until the run is opened."""
        return self._overlap

    @property
    def init_s(self) -> float:
        """Where the benchmark clock starts: the SVD and shipping the initial state, over the slowest link."""
        return self._init_s

    @property
    def round(self) -> int:
        """The number of the open round, or of the last one; 0 before the first."""
        return 0 if self._current is None else self._current.number

    @property
    def round_opened_s(self) -> float | None:
        """The run's clock as the open round, or the last one, began; None before the first."""
        return None if self._current is None else self._current.opened_at_s

    @property
    def selected(self) -> tuple[int, ...]:
        """The clients of the round, as are the next five: each stands in exactly one of them."""
        return () if self._current is None else self._current.selected

    @property
    def waiting(self) -> tuple[int, ...]:
        """Clients without an agent, in the order in which they will get one."""
        return () if self._current is None else tuple(self._current.waiting)

    @property
    def running(self) -> Mapping[int, str]:
        """The agent that trains a client."""
        return {} if self._current is None else dict(self._current.running)

    @property
    def completed(self) -> tuple[int, ...]:
        """Clients whose update was accepted, in that order."""
        return () if self._current is None else tuple(self._current.completed)

    @property
    def dropped(self) -> tuple[Failure, ...]:
        """Clients that the round goes on without, and why."""
        return () if self._current is None else self._current.failures()

    @property
    def spare(self) -> tuple[int, ...]:
        """Clients that were chosen beyond need, and that nobody waits for any more."""
        return () if self._current is None else tuple(sorted(self._current.spare))

    @property
    def beside(self) -> int | None:
        """The round before the open one, while its state is being evaluated beside it; None: there is none such."""
        return None if self._beside is None else self._beside.number

    @property
    def goes_back_to(self) -> int | None:
        """The round that an :class:`harness.rounds.events.UpdateLost` may open again: the one before the open one."""
        return None if self._before is None or self._phase == "finished" else self._before.number

    @property
    def state_before_sha256(self) -> str:
        """The state that the open round trains from; the newest one where there is none."""
        return self._state_of_closed_sha256 if self._beside is None else self._beside.aggregated.state_sha256

    @property
    def state_before_last_sha256(self) -> str:
        """The state that the round before the open one trained from; of the first one the initial state."""
        if self._beside is not None:
            return self._state_of_closed_sha256
        return self._records[-2].state_sha256 if len(self._records) > 1 else self._initial_state_sha256 or ""

    @property
    def agents(self) -> tuple[str, ...]:
        """The agents that are here, by name."""
        return tuple(sorted(self._agents))

    @property
    def idle(self) -> tuple[str, ...]:
        """The agents that train nothing, by name."""
        busy = set(self.running.values())
        return tuple(agent for agent in self.agents if agent not in busy)

    @property
    def records(self) -> Sequence[RoundRecord]:
        """The closed rounds."""
        return self._records

    def validate(self) -> None:
        """Raise AssertionError where the state contradicts itself; for tests, after every event."""
        assert [record.round for record in self._records] == list(range(1, len(self._records) + 1))
        assert (self.clock is None) == (self._current is None), "a round before the run was started, or none after"
        if self._current is None:
            assert self._phase in ("gathering", "aborted"), f"{self._phase} without a round"
            return
        self._current.validate()
        assert self._phase != "gathering", "gathering in a round"
        not_closed = (self._phase != "finished") + (self._beside is not None)
        assert self.round == len(self._records) + not_closed, "a round was left out or taken twice"
        self._validate_before()
        assert set(self.running.values()) <= set(self.agents), "a client is trained by an agent that is gone"
        if self._phase == "training":
            assert not self._current.settled, "training, but there is nothing to wait for"
            assert not self._agents or self.running, "agents are there, but nobody trains"
            assert tuple(self._free) == self.idle, f"idle are {self.idle}, kept as {self._free}"
        elif self._phase != "aborted":
            assert self._current.settled, f"{self._phase}, but there is something to wait for"
            assert len(self.completed) >= self._plan.needed, "less than a quorum"

    def _validate_before(self) -> None:
        """The same for the round before the open one."""
        if self._before is None:
            return
        self._before.round.validate()
        assert self._before.round.settled, "the next round was opened, but there was something to wait for"
        assert self._before.number == self.round - (self._phase != "finished"), "not the round before"
        if self._beside is not None:
            assert self._overlap, "evaluated beside the next round, in a run where nothing is"
            assert self._plan.evaluates(self._beside.number), "evaluated, but nobody asked for it"
            assert self._phase not in ("gathering", "finished"), f"{self._phase}, but evaluating beside it"

    @property
    def _beside(self) -> Concluded | None:
        """The round before the open one, where it is not closed yet."""
        before = self._before
        return before if before is not None and before.number > len(self._records) else None

    @property
    def _state_of_closed_sha256(self) -> str:
        """The state of the last closed round; the initial one before there is any."""
        return self._records[-1].state_sha256 if self._records else self._initial_state_sha256 or ""
