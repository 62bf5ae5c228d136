"""Orders, in the imperative: what the controller's shell is to do. The machine never does any of it itself."""

from __future__ import annotations

from typing import Union

import msgspec

from harness.records import ClientRecord, Clock, RoundRecord
from harness.rounds.events import DeadlineKind


class Command(msgspec.Struct, frozen=True, kw_only=True, tag_field="command"):
    """Base of every command."""


class SetDeadline(Command, frozen=True, kw_only=True, tag="set-deadline"):
    """Answer with DeadlinePassed(kind, round, number) after ``seconds``. A newer one of the same kind replaces it."""

    kind: DeadlineKind
    round: int
    number: int
    seconds: float


class StartRun(Command, frozen=True, kw_only=True, tag="start-run"):
    """Enough agents are there: write the clock, init and provision times into the header."""

    clock: Clock
    svd_s: float
    ship_s: float
    provision_s: float
    agents: tuple[str, ...]
    warnings: tuple[str, ...]


class AssignTask(Command, frozen=True, kw_only=True, tag="assign-task"):
    """Send the task to the agent: train ``client`` in ``round`` from the state ``state_sha256``."""

    agent: str
    round: int
    client: int
    attempt: int
    state_sha256: str


class CancelTask(Command, frozen=True, kw_only=True, tag="cancel-task"):
    """The client was dropped from the round: its agent is to stop and become idle."""

    agent: str
    round: int
    client: int
    attempt: int


class UpdateRef(msgspec.Struct, frozen=True, kw_only=True):
    """An update to aggregate: whose, which file content, and its weight n_k (samples)."""

    client: int
    sha256: str
    samples: int


class Aggregate(Command, frozen=True, kw_only=True, tag="aggregate"):
    """Average the updates, in client order, write the checkpoint, answer Aggregated."""

    round: int
    updates: tuple[UpdateRef, ...]


class Evaluate(Command, frozen=True, kw_only=True, tag="evaluate"):
    """Evaluate the state of ``round``, and the models of its ``clients`` where they are asked for; answer Evaluated.

    The next round may train meanwhile: what of ``round`` is needed for it is kept until its WriteRound.
    """

    round: int
    state_sha256: str
    clients: tuple[int, ...] = ()


class WriteClient(Command, frozen=True, kw_only=True, tag="write-client"):
    """Append a line to ``clients.jsonl``."""

    record: ClientRecord


class ForgetClient(Command, frozen=True, kw_only=True, tag="forget-client"):
    """The client's update is lost: take its line out of ``clients.jsonl``."""

    round: int
    client: int


class WriteRound(Command, frozen=True, kw_only=True, tag="write-round"):
    """Append a line to ``rounds.jsonl``; the round's update files are no longer needed."""

    record: RoundRecord


class ForgetRound(Command, frozen=True, kw_only=True, tag="forget-round"):
    """The state of a closed round is lost, and the round is open again: take its line out of ``rounds.jsonl``."""

    round: int


class Finish(Command, frozen=True, kw_only=True, tag="finish"):
    """All rounds are done: stop the agents, mark the header done."""


class Abort(Command, frozen=True, kw_only=True, tag="abort"):
    """The run cannot go on: stop the agents, mark the header failed; ``no_agents`` tells exit code 3 from 1."""

    reason: str
    no_agents: bool = False


AnyCommand = Union[
    SetDeadline,
    StartRun,
    AssignTask,
    CancelTask,
    Aggregate,
    Evaluate,
    WriteClient,
    ForgetClient,
    WriteRound,
    ForgetRound,
    Finish,
    Abort,
]
"""What the machine answers with."""
