"""What a run leaves behind: one struct for each line of a run folder.

Schema history: 1, the first. 2: the profile in the header knows tasks, roles of columns and rules of classes, and the
file ``partition.json`` stands beside it. Runs of 1 are not read: their profiles have keys that are gone. 3: bytes on
the wire may be null (a virtual fleet has no wire), rounds may tell the drift; runs of 2 are read as they are. 4:
updates tell how often their connection broke and what was resumed, rounds tell late updates and spare clients; runs of
2 and 3 are read as they are. 5: vitals (energy and what sensors told), timelines (when phases began, how clocks are
apart), the server's energy, what agents found of their devices; runs of 2 to 4 are read as they are. 6: rounds tell the
errors of aggregation, the privacy spent and the clients' own metrics; runs of 2 to 5 are read as they are.

``null`` means "not measured". Durations are seconds on a monotonic clock where they happened; raw values are stored,
rounding happens in tables alone. ``*_bytes`` without ``wire`` are payload: the blob itself, without any framing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from harness.losses import ErrorComponents as ErrorComponents  # named with the records that carry them
from harness.losses import PrivacySpent as PrivacySpent
from harness.timeline import Timeline
from harness.vitals import Vitals

SCHEMA = 6
READABLE_SCHEMAS = (2, 3, 4, 5, 6)
READABLE_WORDS = "2 to 6"

Clock = Literal["wall", "critical path"]
Drift = dict[str, tuple[float, float | None]]
"""By factor: mean change of its columns' norms, mean of 1 - cosine (null: every column was zero)."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Base of every record."""


class Parameters(Record, frozen=True, kw_only=True):
    """How many parameters a method trains and sends, without and with the head; ``total`` is the whole model's."""

    adapter: int
    head: int
    total: int


class Failure(Record, frozen=True, kw_only=True):
    """A client that did not complete its round, and why."""

    client: int
    agent: str
    reason: str


class Late(Record, frozen=True, kw_only=True):
    """An update that came when nobody waited for it any more: of ``round``, and ``why`` it was not aggregated."""

    round: int
    client: int
    agent: str
    attempt: int
    why: str


class ClientRecord(Record, frozen=True, kw_only=True):
    """One update that was accepted: a line of ``clients.jsonl``.

    total_s = download_s + load_s + train_s + serialise_s + upload_s + other_s, from the task's arrival at the agent to
    the acknowledgement of the update's last byte. ``provision_s`` (fetching a shard that was missing) is not in it.
    ``download_bps`` and ``upload_bps`` are the achieved rates; ``link_down_bps``, ``link_up_bps`` what the link
    profile allowed on average in that time (null: not shaped). ``wire_bytes`` counts ZeroMQ frames both ways (null: of
    a virtual fleet, where all seconds but ``train_cpu_s`` are those of the device and link profiles). ``breaks``: how
    often the agent's connection broke in that time; the outages are in the phases. ``resumed_bytes``: payload that an
    earlier agent, or this one before a restart, had moved already; the phases tell of the rest alone, or of what was
    done before the restart where nothing was done again. ``train_cpu_s`` is processor time of all threads of the
    process that trained, while it did: where a virtual fleet trains in the controller's own process, what evaluates
    beside the round (overlap) is in it. ``warm_up``: the trainer had just started, so that its first call is in the
    phases (never of a table's seconds); of a batch, each client's. ``peak_rss_bytes`` is that process' greatest so far.
    ``energy_j`` is the one of ``vitals``. ``timeline``: when the phases began; null of an update that an earlier
    process of the agent had trained.
    """

    round: int
    client: int
    agent: str
    attempt: int
    samples: int
    steps: int
    tokens: int
    download_s: float
    load_s: float
    train_s: float
    serialise_s: float
    upload_s: float
    other_s: float
    total_s: float
    provision_s: float
    train_cpu_s: float
    download_bytes: int
    upload_bytes: int
    wire_bytes: int | None
    download_bps: float
    upload_bps: float
    link_down_bps: float | None = None
    link_up_bps: float | None = None
    loss: float | None = None
    energy_j: float | None = None
    peak_rss_bytes: int
    warm_up: bool
    breaks: int = 0
    resumed_bytes: int = 0
    vitals: Vitals | None = None
    timeline: Timeline | None = None
    update_sha256: str

    @property
    def undisturbed(self) -> bool:
        """Whether the connection held and nothing was resumed: the phases tell of all that was done, and no more."""
        return self.breaks == 0 and self.resumed_bytes == 0


def undisturbed(records: Sequence[ClientRecord]) -> Sequence[ClientRecord]:
    """The undisturbed ones of these updates, to measure by; all where there are no others."""
    return [record for record in records if record.undisturbed] or records


class RoundRecord(Record, frozen=True, kw_only=True):
    """One closed round: a line of ``rounds.jsonl``.

    round_s = download_s + load_s + train_s + upload_s + wait_s + aggregate_s + other_s, by the run's clock; the
    phases are those of the round's slowest client (serialising is in other_s). ``wall_s`` and ``critical_path_s`` are
    the round by either clock; round_s equals one of them. ``evaluate_s`` is off the clock. Bytes are sums over the
    round's completed clients. ``metrics`` is empty in a round that was not evaluated. ``drift`` is recorded where the
    profile asks for it: for each adapted weight, such as ``layer.0.query.A``, how far the columns of its global factor
    moved in this round: (mean change of their norms, mean of 1 - cosine), FeDeRA eq. 19-22; the second is null where
    every column was zero before. ``spare`` are clients that were chosen beyond need and not waited for
    (over-selection); they are in none of ``completed`` and ``failed``. ``late`` are updates that came while this round
    was open and were not aggregated: of an earlier round, or of a client that this one does not wait for. ``energy_j``
    is that of its clients (null: one was not measured), ``server`` what the controller's own sensors told meanwhile.
    ``errors`` are told of methods with low-rank factors, ``privacy`` where there is any. ``client_metrics`` are the
    metrics of each client's own model, where the profile asks for them; those of fedsa are of its personal models,
    and ``metrics`` their mean.
    """

    round: int
    elapsed_s: float
    round_s: float
    wall_s: float
    critical_path_s: float
    download_s: float
    load_s: float
    train_s: float
    upload_s: float
    wait_s: float
    aggregate_s: float
    other_s: float
    evaluate_s: float | None
    metrics: dict[str, float]
    selected: tuple[int, ...]
    completed: tuple[int, ...]
    failed: tuple[Failure, ...]
    download_bytes: int
    upload_bytes: int
    wire_bytes: int | None
    energy_j: float | None = None
    drift: Drift | None = None
    spare: tuple[int, ...] = ()
    late: tuple[Late, ...] = ()
    server: Vitals | None = None
    errors: ErrorComponents | None = None
    privacy: PrivacySpent | None = None
    client_metrics: dict[int, dict[str, float]] = {}
    state_sha256: str


class Partition(Record, frozen=True, kw_only=True):
    """``partition.json``: what each client holds, by class; the same for runs that share data and partition seed.

    ``counts[client][class]`` are training samples, classes in the order of their names in ``classes``. ``kind`` and
    ``alpha`` are the profile's, ``seed`` its ``seeds.partition``; only the Dirichlet kinds draw with ``alpha``.

    Raises:
        ValueError: a client has no samples, or counts that do not fit the classes, or two classes one name.
    """

    kind: str
    alpha: float
    seed: int
    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        if not self.counts:
            raise ValueError("counts has no client")
        if len(set(self.classes)) < len(self.classes):
            raise ValueError("two classes have the same name")
        for client, row in enumerate(self.counts):
            if len(row) != len(self.classes):
                raise ValueError(f"client {client} has {len(row)} counts for {len(self.classes)} classes")
            if min(row, default=0) < 0 or not any(row):
                raise ValueError(f"client {client} must hold a sample, and no class less than 0 times")


class Header(Record, frozen=True, kw_only=True):
    """``header.json``: what was run, where, and what it cost before the first round.

    init_s = svd_s + ship_s: what the method computes once on the server, and the time to ship it over the link.
    ``provision_s`` (base weights and data shards to the slowest agent) is recorded, not counted. They are null until
    the agents have joined, ``parameters`` and ``shipped_bytes`` until the workload is prepared: the payload that ship_s
    is of, 0 of a method that ships nothing (null: a run before schema 6). ``profile`` is the resolved experiment.
    ``devices``: by agent (and "controller"), what was found of its device: see
    :class:`harness.protocol.beside.DeviceReport`.
    """

    schema: int = SCHEMA
    run_id: str
    method: str
    seed: int
    profile: dict[str, Any]
    profile_sha256: str
    parameters: Parameters | None = None
    shipped_bytes: int | None = None
    svd_s: float | None = None
    ship_s: float | None = None
    init_s: float | None = None
    provision_s: float | None = None
    clock: Clock | None = None
    agents: tuple[str, ...] = ()
    devices: dict[str, dict[str, Any]] = {}
    environment: dict[str, Any]
    warnings: tuple[str, ...] = ()
    data: str | None = None
    models: str | None = None
    state: Literal["running", "done", "failed", "interrupted"] = "running"
    reason: str | None = None
    started_at: str
