"""Facts, in the past tense: everything that may change the state of a run. One is a line of ``events.jsonl``.

``at_s`` is seconds since the run was opened, on the controller's monotonic clock; it stands still while no
controller runs, so that a resumed run goes on where it stopped.
"""

from __future__ import annotations

from typing import Literal, Union

import msgspec

from harness.records import ClientRecord, Drift, ErrorComponents, PrivacySpent
from harness.vitals import Vitals

DeadlineKind = Literal["agents", "round"]
"""For agents to come, or for the updates of a round."""


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event"):
    """Base of every event."""

    at_s: float


class RunOpened(Event, frozen=True, kw_only=True, tag="run-opened"):
    """The workload is prepared: the initial state is at hand; the SVD took ``svd_s`` (0 where there is none).

    ``overlap``: whether this run's states are evaluated while the next round trains already.
    """

    svd_s: float
    state_sha256: str
    overlap: bool = False


class ControllerResumed(Event, frozen=True, kw_only=True, tag="controller-resumed"):
    """A new controller replayed the events before this one; all agents must join anew."""


class AgentJoined(Event, frozen=True, kw_only=True, tag="agent-joined"):
    """An agent is ready for tasks: base weights and shards are in its cache (``provision_s``), the method's initial
    state came over its link in ``ship_s``. ``host`` names the machine it runs on."""

    agent: str
    host: str
    provision_s: float
    ship_s: float


class AgentLost(Event, frozen=True, kw_only=True, tag="agent-lost"):
    """No heartbeat for too long, a goodbye, or a second process of the same name."""

    agent: str
    reason: str


class AgentReconnected(Event, frozen=True, kw_only=True, tag="agent-reconnected"):
    """An agent's connection broke, and it goes on where it was over a new one; of a run nothing changes."""

    agent: str


class MessagesRefused(Event, frozen=True, kw_only=True, tag="messages-refused"):
    """Messages or handshakes were refused; ``counts`` are those of this controller so far, by reason."""

    counts: dict[str, int]


class UpdateReceived(Event, frozen=True, kw_only=True, tag="update-received"):
    """A client's update has landed in a file and matches its hash, and its agent told all durations."""

    record: ClientRecord


class UpdateLate(Event, frozen=True, kw_only=True, tag="update-late"):
    """An agent has an update of a task that nobody waits for any more; it is told so, and nothing is aggregated."""

    round: int
    client: int
    agent: str
    attempt: int


class UpdateLost(Event, frozen=True, kw_only=True, tag="update-lost"):
    """The file of an accepted update is gone or damaged, as a resume found; its client has to be trained again."""

    round: int
    client: int
    reason: str


class TaskFailed(Event, frozen=True, kw_only=True, tag="task-failed"):
    """An agent could not train a client; the agent itself goes on."""

    round: int
    client: int
    agent: str
    attempt: int
    reason: str


class DeadlinePassed(Event, frozen=True, kw_only=True, tag="deadline-passed"):
    """A deadline that a SetDeadline command asked for has passed. ``number`` is that command's."""

    kind: DeadlineKind
    round: int
    number: int


class Aggregated(Event, frozen=True, kw_only=True, tag="aggregated"):
    """The round's updates are the new global state, written as a checkpoint. Sent by the aggregating errand.

    ``aside_s``: what of the run's clock until then went into measuring drift, errors and privacy; no round is charged
    with it. ``drift``, ``server``, ``errors`` and ``privacy`` are those of :class:`harness.records.RoundRecord`.
    """

    round: int
    state_sha256: str
    aggregate_s: float
    aside_s: float = 0.0
    drift: Drift | None = None
    server: Vitals | None = None
    errors: ErrorComponents | None = None
    privacy: PrivacySpent | None = None


class Evaluated(Event, frozen=True, kw_only=True, tag="evaluated"):
    """The new global state was evaluated; metrics is never empty. ``client_metrics``: those of the clients' models."""

    round: int
    metrics: dict[str, float]
    evaluate_s: float
    client_metrics: dict[int, dict[str, float]] = {}


AnyEvent = Union[
    RunOpened,
    ControllerResumed,
    AgentJoined,
    AgentLost,
    AgentReconnected,
    MessagesRefused,
    UpdateReceived,
    UpdateLate,
    UpdateLost,
    TaskFailed,
    DeadlinePassed,
    Aggregated,
    Evaluated,
]
"""What a line of ``events.jsonl`` is decoded to; its key "event" tells which."""
