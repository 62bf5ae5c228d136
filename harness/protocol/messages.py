"""Messages, typed and tagged, as msgpack. A message is one or two frames: the message, and for chunks their bytes.

Agent and controller speak over two sockets each (ROUTER at the controller, DEALER at the agent): *main* carries all
messages but heartbeats; *beat* carries Beat and BeatEcho alone, so that no blob delays a heartbeat. The routing id is
random at each start of an agent; its name stands in Hello and Beat.

    agent                             controller
    Hello                        ->                  who I am, and what I have under way
                                 <-   Welcome        where to send heartbeats; whether we go on where we were
                                 <-   Provision      blobs to have in the cache, and what to prepare
    Fetch                        ->                  credit for bytes of a blob from an offset on
                                 <-   Chunk + bytes  at most 256 KiB each, until the credit is used
    Ready                        ->                  everything is in place, the trainer is up
                                 <-   Task
    Fetch / Chunk ...                                the round's state, or less where that is enough (LeanState), over
                                                     the shaped link
    Report                       ->                  the phases so far
    Offer                        ->                  an update is there to be taken
                                 <-   Accept         from this offset on, with this credit
    Chunk + bytes                ->
                                 <-   Credit         so many more bytes may be sent
                                 <-   Received       the whole blob landed and matches its hash
    Done                         ->                  the final record of this update
    Failed                       ->                  the task ended without an update
    DeviceReport, Telemetry      ->                  what the device is; samples of its sensors, between transfers
                                 <-   Cancel, Stop, Refused
    Goodbye                      ->

A connection that breaks is opened anew, with the same *session* in Hello. Where the controller still knows the session,
it answers Welcome(resumed): nothing is provisioned again, what is under way goes on, transfers at their offset, and
whatever may have been lost with the connection (a Task, a Cancel, a Ready, a Done) is said again. All of them may come
twice: a second time they change nothing.
"""

from __future__ import annotations

from typing import Annotated, Any, Union

from msgspec import Meta

from harness.profiles import LinkProfile
from harness.protocol.beside import Beat as Beat  # named with the messages of the choreography
from harness.protocol.beside import BeatEcho as BeatEcho
from harness.protocol.beside import DeviceReport as DeviceReport
from harness.protocol.beside import Telemetry as Telemetry
from harness.protocol.fields import AgentName, Port, Session, Sha256, Size, Text
from harness.protocol.fields import BlobRef as BlobRef  # named with the messages that carry them
from harness.protocol.fields import Message as Message
from harness.protocol.fields import TaskRef as TaskRef
from harness.records import ClientRecord

PROTOCOL = 6
MAX_CHUNK_BYTES = 256 * 1024
MAX_FRAMES = 2


class Hello(Message, frozen=True, kw_only=True, tag="hello"):
    """The first message of an agent, and again over each new connection.

    ``session`` is drawn at the agent's start. ``provisioned``: it has taken a Provision in this session. ``holds`` is
    the task that is under way, ``ended`` the last one that it ended, by Done or Failed; of this session both.
    ``connection`` counts the connections of the session: the Hello of an older one may be read after that of a newer.
    """

    protocol: int
    version: Annotated[str, Meta(max_length=64)]
    agent: AgentName
    host: Annotated[str, Meta(max_length=255)]
    cores: int
    memory_bytes: int
    session: Session
    provisioned: bool = False
    holds: TaskRef | None = None
    ended: TaskRef | None = None
    connection: Size = 1


class Welcome(Message, frozen=True, kw_only=True, tag="welcome"):
    """The agent may take part. Heartbeats go to ``beat_port`` of the host the agent is connected to.

    ``resumed``: the controller knows the session of the Hello, and both go on where they were; else a Provision
    follows.
    """

    run_id: Text
    beat_port: Port
    heartbeat_s: float
    lost_after_s: float
    resumed: bool = False


class Provision(Message, frozen=True, kw_only=True, tag="provision"):
    """What to have before the first task.

    ``base`` are the files of the pretrained model (by file name), ``shards`` the clients' data (name: client id),
    both fetched unshaped if the cache lacks them. ``init`` is what a method ships once: factors that clients need to
    form their frozen weights (FeDeRA's A0, B0), or that they never train (FFA's A). It is always fetched, over the
    shaped link, and timed. ``prepare`` goes to the trainer as it is (see :mod:`harness.learning.spec`).
    ``telemetry_hz`` is how often sensors are read; 0: not at all.
    """

    base: tuple[BlobRef, ...]
    shards: tuple[BlobRef, ...]
    init: BlobRef | None
    prepare: dict[str, Any]
    link: LinkProfile
    link_seed: int
    telemetry_hz: float = 0.0


class Ready(Message, frozen=True, kw_only=True, tag="ready"):
    """The agent waits for tasks. Durations: fetching what was missing and preparing the trainer; shaped ``init``."""

    provision_s: float
    ship_s: float


class LeanState(Message, frozen=True, kw_only=True, tag="lean"):
    """A smaller blob than a task's state, and enough for a trainer that was last given the state ``since``."""

    blob: BlobRef
    since: Sha256


class Task(Message, frozen=True, kw_only=True, tag="task"):
    """Train a client from a state. The shard is the one of that client in Provision.

    The agent fetches one blob: ``state``, or that of ``lean`` if its trainer process was last given ``lean.since``. By
    either it was then given ``state``; its record tells the bytes of the one that it fetched.
    """

    ref: TaskRef
    state: BlobRef
    seed: int
    lean: LeanState | None = None


class Fetch(Message, frozen=True, kw_only=True, tag="fetch"):
    """Credit to send ``credit_bytes`` of a blob from ``offset`` on, in chunks of at most ``chunk_bytes``."""

    sha256: Sha256
    offset: Size
    credit_bytes: Annotated[int, Meta(ge=1)]
    chunk_bytes: Annotated[int, Meta(ge=1, le=MAX_CHUNK_BYTES)]


class Chunk(Message, frozen=True, kw_only=True, tag="chunk"):
    """Bytes of a blob from ``offset`` on; they stand in the second frame."""

    sha256: Sha256
    offset: Size


class Report(Message, frozen=True, kw_only=True, tag="report"):
    """The task is trained; its update follows. ``record`` holds the phases so far, the upload's fields are 0."""

    ref: TaskRef
    record: ClientRecord


class Offer(Message, frozen=True, kw_only=True, tag="offer"):
    """A task's update, ready to be sent."""

    ref: TaskRef
    blob: BlobRef


class Accept(Message, frozen=True, kw_only=True, tag="accept"):
    """Send from ``offset`` on (bytes before it are here already), at most ``credit_bytes`` before a Credit."""

    sha256: Sha256
    offset: Size
    credit_bytes: Size


class Credit(Message, frozen=True, kw_only=True, tag="credit"):
    """All before ``offset`` has landed; bytes up to ``limit`` (an absolute offset) may be sent."""

    sha256: Sha256
    offset: Size
    limit: Size


class Received(Message, frozen=True, kw_only=True, tag="received"):
    """The blob is complete and matches its hash."""

    sha256: Sha256


class Corrupt(Message, frozen=True, kw_only=True, tag="corrupt"):
    """The blob is complete but does not match its hash: the sender starts again at offset 0."""

    sha256: Sha256
    reason: Text


class Done(Message, frozen=True, kw_only=True, tag="done"):
    """The update was acknowledged; the final record, with the upload's fields. Then the agent is idle."""

    ref: TaskRef
    record: ClientRecord


class Failed(Message, frozen=True, kw_only=True, tag="failed"):
    """The task ended without an update; the agent is idle."""

    ref: TaskRef
    reason: Text


class Cancel(Message, frozen=True, kw_only=True, tag="cancel"):
    """Stop this task, if it is still under way; the agent is idle then and sends nothing for it."""

    ref: TaskRef


class Stop(Message, frozen=True, kw_only=True, tag="stop"):
    """The run is over: an agent started for this run ends; one started by systemd waits for the next run."""

    reason: Text


class Refused(Message, frozen=True, kw_only=True, tag="refused"):
    """The agent may not take part; it says why and ends."""

    reason: Text


class Goodbye(Message, frozen=True, kw_only=True, tag="goodbye"):
    """The agent ends on its own will."""

    agent: AgentName
    reason: Text


ToController = Union[Hello, Ready, Fetch, Report, Offer, Chunk, Done, Failed, Telemetry, DeviceReport, Goodbye]
ToAgent = Union[Welcome, Provision, Task, Chunk, Accept, Credit, Received, Corrupt, Cancel, Stop, Refused]
BeatMessage = Union[Beat, BeatEcho]
