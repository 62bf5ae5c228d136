"""Makes runs as devices leave them: with vitals, timelines on clocks of their own, events, telemetry, doctors' words.

Nothing here was measured: the numbers are of the size that an AGX Orin at 30 W would give. Same arguments, same run.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import run_folders

from analysis.happened import Happened, Trained
from analysis.load import Run
from harness.profiles import AgentsProfile
from harness.records import ClientRecord, Failure, RoundRecord
from harness.timeline import Offset, Timeline
from harness.vitals import Vitals

RAILS = {"VDD_GPU_SOC": 9.0, "VDD_CPU_CV": 5.0, "VIN_SYS_5V0": 4.0, "VDDQ_VDD2_1V8AO": 1.5}
"""Watts of a training; the last is inside the one before, so the total is 18 W."""
TRAINING_W, IDLE_W, SERVER_W = 18.0, 8.0, 120.0
SPEED = {"fedft": (5.0, 4_000_000, 0.30), "fedlr": (2.6, 660_000, 0.15), "federa": (2.7, 660_000, 0.24)}
"""Of a method: seconds of training, bytes of an update, how fast its accuracy rises."""
FURTHER = {"fedbf": (2.2, 130_000, 0.09), "fedap": (3.1, 950_000, 0.20)}
"""Of the others that a whole study has."""
EVERY = {**SPEED, **FURTHER}
OK = {"name": "disk", "state": "ok", "says": "41 GB are free", "do": None, "values": {}}
POWER_SAVE = {
    "name": "wifi-power-save",
    "state": "warn",
    "says": "power_save of wlan0 is on",
    "do": "run: iw dev wlan0 set power_save off",
    "values": {},
}


@dataclass
class _Board:
    """An agent: how its clock is apart from the run's, how slow it is, and since when it is free."""

    name: str
    offset_s: float
    slow: float
    free_s: float = 0.0
    samples: list[tuple[float, float]] = field(default_factory=list)


def run(
    method: str = "federa", boards: int = 3, clients: int = 4, rounds: int = 12, seed: int = 0, lost: bool = True
) -> Run:
    """A run of a few boards. One of them is lost for a while in round 3 (``lost``), which fails a task of it too."""
    of = run_folders.experiment(
        agents=AgentsProfile(count=boards), rounds={"count": rounds, "clients_per_round": clients}
    )
    fleet = [
        _Board(f"orin-{n:02}", offset_s=-1000.0 * n - 0.25, slow=1 + 0.18 * n, free_s=6.0 + 0.4 * n)
        for n in range(1, boards + 1)
    ]
    events = [Happened(event="run-opened", at_s=0.2, svd_s=0.25)]
    events += [
        Happened(
            event="agent-joined", at_s=board.free_s, agent=board.name, host=board.name, provision_s=4.5, ship_s=0.6
        )
        for board in fleet
    ]
    now_s, elapsed_s = max(board.free_s for board in fleet), 0.85
    records: list[RoundRecord] = []
    updates: list[ClientRecord] = []
    for number in range(1, rounds + 1):
        begin_s = now_s
        for board in fleet:
            board.free_s = begin_s
        if lost and number == 3:
            events += _mishaps(fleet[-1], begin_s)
        own = [
            _update(method, number, (7 * number + place) % 40, min(fleet, key=lambda each: each.free_s), seed)
            for place in range(clients)
        ]
        received = sorted(((done_s + 0.004, record) for done_s, record in own), key=lambda each: each[0])
        events += [_received(at_s, record) for at_s, record in received]
        end_s = received[-1][0] + 0.06
        events.append(Happened(event="aggregated", at_s=end_s, round=number, aggregate_s=0.05))
        accuracy = 0.84 * (1 - math.exp(-EVERY[method][2] * (number + 1)))
        now_s = end_s + 0.4
        events.append(Happened(event="evaluated", at_s=now_s, round=number, evaluate_s=0.39))
        slowest = max((record for _, record in own), key=lambda record: record.total_s)
        elapsed_s += end_s - begin_s
        records.append(
            _round(number, accuracy, [record for _, record in received], slowest, end_s - begin_s, elapsed_s)
        )
        updates += [record for _, record in received]
    events.sort(key=lambda event: event.at_s)
    header = run_folders.header(
        method,
        seed,
        of,
        run_id=f"devices-{method}-s{seed}",
        clock="wall",
        schema=5,
        agents=tuple(board.name for board in fleet),
        devices={board.name: _report(place) for place, board in enumerate(fleet)} | {"controller": {"doctor": [OK]}},
    )
    return Run(header, tuple(records), tuple(updates), Path("runs") / method, (), None, tuple(events))


def _update(method: str, number: int, client: int, board: _Board, seed: int) -> tuple[float, ClientRecord]:
    """A task of a board, and when it ended on the run's clock."""
    base_s, payload, _ = EVERY[method]
    begin_s = board.free_s + 0.02
    down_s = up_s = 8 * payload / 24e6 + 0.004
    train_s = base_s * board.slow * (1 + 0.05 * math.sin(client + 3 * seed))
    parts = {"download": down_s, "load": 0.12, "train": train_s, "serialise": 0.03, "upload": up_s}
    at_s, passed_s = {}, 0.0
    for phase, seconds in parts.items():
        at_s[phase] = passed_s + 0.002
        passed_s += seconds + 0.002
    total_s = passed_s + 0.003
    board.free_s = begin_s + total_s
    watts = {rail: w * (1 + 0.02 * number / 10) for rail, w in RAILS.items()}
    energy_j = total_s * sum(list(watts.values())[:3])
    throttled = board.slow > 1.5 and number >= 5
    drift_s = 20e-6 * begin_s
    record = run_folders.client_record(
        number,
        client,
        agent=board.name,
        **{f"{phase}_s": seconds for phase, seconds in parts.items()},
        other_s=total_s - sum(parts.values()),
        total_s=total_s,
        train_cpu_s=0.97 * train_s,
        download_bytes=payload,
        upload_bytes=payload,
        wire_bytes=int(2.01 * payload),
        download_bps=23.9e6,
        upload_bps=23.7e6,
        link_down_bps=25e6,
        link_up_bps=25e6,
        energy_j=energy_j,
        warm_up=number == 1,
        vitals=Vitals(
            source="ina3221",
            samples=int(10 * total_s),
            coverage=0.999,
            energy_j=energy_j,
            rails_j={rail: w * total_s for rail, w in watts.items()},
            mean_w=energy_j / total_s,
            peak_w=24.0,
            idle_w=IDLE_W,
            power_mode="MODE_30W",
            temperature_max_c=61.0,
            throttle_events=2 if throttled else 0,
            flags=("throttled",) if throttled else (),
        ),
        timeline=Timeline(
            arrived_s=begin_s - board.offset_s,
            phase_at_s=at_s,
            download=Offset(offset_s=board.offset_s - drift_s, uncertainty_s=0.0011),
            upload=Offset(offset_s=board.offset_s + drift_s / 10, uncertainty_s=0.0016),
        ),
    )
    return begin_s + total_s, record


def _mishaps(board: _Board, begin_s: float) -> list[Happened]:
    """A task that failed, a connection that broke, an agent that was lost and came again."""
    name = board.name
    board.free_s = begin_s + 2.5
    return [
        Happened(
            event="task-failed", at_s=begin_s + 0.5, agent=name, round=3, client=39, attempt=1, reason="no memory"
        ),
        Happened(event="agent-reconnected", at_s=begin_s + 0.6, agent=name),
        Happened(event="agent-lost", at_s=begin_s + 1.0, agent=name, reason="no heartbeat for 8 s"),
        Happened(event="agent-joined", at_s=begin_s + 2.4, agent=name, host=name, provision_s=0.3, ship_s=0.6),
    ]


def _received(at_s: float, record: ClientRecord) -> Happened:
    whose = Trained(round=record.round, client=record.client, agent=record.agent)
    return Happened(event="update-received", at_s=at_s, record=whose)


def _round(
    number: int, accuracy: float, clients: Sequence[ClientRecord], slow: ClientRecord, wall_s: float, elapsed_s: float
) -> RoundRecord:
    waited_s = max(0.0, wall_s - slow.total_s - 0.05)
    claimed_s = slow.download_s + slow.load_s + slow.train_s + slow.upload_s + waited_s + 0.05
    return run_folders.round_record(
        number,
        round(accuracy, 4),
        elapsed_s=elapsed_s,
        round_s=wall_s,
        wall_s=wall_s,
        critical_path_s=slow.total_s + 0.05,
        download_s=slow.download_s,
        load_s=slow.load_s,
        train_s=slow.train_s,
        upload_s=slow.upload_s,
        wait_s=waited_s,
        aggregate_s=0.05,
        other_s=wall_s - claimed_s,
        selected=tuple(sorted(client.client for client in clients)),
        completed=tuple(sorted(client.client for client in clients)),
        failed=(Failure(client=39, agent="orin-03", reason="no memory"),) if number == 3 else (),
        download_bytes=sum(client.download_bytes for client in clients),
        upload_bytes=sum(client.upload_bytes for client in clients),
        wire_bytes=sum(client.wire_bytes or 0 for client in clients),
        energy_j=sum(client.energy_j or 0.0 for client in clients),
        server=Vitals(source="nvml", samples=int(10 * wall_s), coverage=1.0, energy_j=SERVER_W * wall_s),
    )


def _report(place: int) -> dict[str, Any]:
    return {
        "device": {
            "model": "NVIDIA Jetson AGX Orin Developer Kit",
            "power_mode": "MODE_30W",
            "governor": "schedutil",
            "cpu_max_hz": 1_728_000_000,
            "gpu_max_hz": 612_000_000,
        },
        "doctor": [OK, POWER_SAVE] if place == 1 else [OK],
        "shaping": None,
        "idle": {"idle_w": IDLE_W},
    }


def changed(made: Run, at: Sequence[int], **vitals: Any) -> Run:
    """The run with other vitals of some of its updates; their energy and their rounds' follow."""
    clients = list(made.clients)
    for place in at:
        own = clients[place].vitals
        assert own is not None
        new = msgspec.structs.replace(own, **vitals)
        clients[place] = msgspec.structs.replace(clients[place], vitals=new, energy_j=new.energy_j)
    empty = {client.round for client in clients if client.energy_j is None}
    rounds = tuple(
        msgspec.structs.replace(record, energy_j=None) if record.round in empty else record for record in made.rounds
    )
    return replace(made, clients=tuple(clients), rounds=rounds)


def without_stamps(made: Run) -> Run:
    """The run as an older version would have recorded it: neither timelines nor vitals."""
    bare = tuple(msgspec.structs.replace(c, timeline=None, vitals=None, energy_j=None) for c in made.clients)
    rounds = tuple(msgspec.structs.replace(r, energy_j=None, server=None) for r in made.rounds)
    header = msgspec.structs.replace(made.header, schema=4, devices={})
    return replace(made, header=header, clients=bare, rounds=rounds)


def write(folder: Path, made: Run, hz: float = 2.0) -> Path:
    """The run as a folder, with its events and, where it has vitals, its telemetry."""
    run_folders.write(folder, made)
    (folder / "events.jsonl").write_bytes(msgspec.json.Encoder().encode_lines(list(made.events)))
    if any(client.vitals for client in made.clients):
        pq.write_table(telemetry(made, hz), folder / "telemetry.parquet")
    return folder


def telemetry(made: Run, hz: float) -> pa.Table:
    """Samples of each board while it trains and while it does not; the rails sum to the total but for the last."""
    end_s = made.events[-1].at_s
    columns: dict[str, list[Any]] = {name: [] for name in ("agent", "source", "at_s", "run_s", "total_w")}
    columns |= {f"rail_{rail}_w": [] for rail in RAILS}
    for place, agent in enumerate(made.header.agents, start=1):
        offset_s = -1000.0 * place - 0.25
        busy = [
            (c.timeline.arrived_s + offset_s, c.timeline.arrived_s + offset_s + c.total_s)
            for c in made.clients
            if c.agent == agent and c.timeline
        ]
        for step in range(int(end_s * hz)):
            at_s = step / hz
            share = 1.0 if any(begin <= at_s <= end for begin, end in busy) else IDLE_W / TRAINING_W
            row = {"agent": agent, "source": "ina3221", "at_s": at_s - offset_s, "run_s": at_s if step else None}
            row |= {"total_w": TRAINING_W * share} | {f"rail_{rail}_w": w * share for rail, w in RAILS.items()}
            for name, value in row.items():
                columns[name].append(value)
    return pa.table(columns)
