"""Makes a run folder whose agents and devices call themselves what harms who reads it: markup, formulas, escapes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import device_runs
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import run_folders

from analysis.load import Run
from harness.timeline import Offset, Timeline

TAG = '"><img src=x onerror="window.owned=1"><script>window.owned=2</script>'
END = "</script><script>window.owned=3</script><!--"
ESCAPES = "\x1b[31mred\x1b]0;title\x07\u202e"
FORMULA = '=HYPERLINK("http://evil.example/","click")'
NAMES = {"orin-01": TAG, "orin-02": END, "orin-03": f"{FORMULA}{ESCAPES}"}
NAN, INF = float("nan"), float("inf")


def run() -> Run:
    """The run, with all of it wherever an agent has a word."""
    made = device_runs.run(boards=3, clients=3, rounds=4)
    clients = [_client(client) for client in made.clients]
    for place, (arrived_s, offset_s) in enumerate([(0.0, -1e300), (2.0**53, 0.0), (0.0, 1e300)]):
        offset = Offset(offset_s=offset_s, uncertainty_s=0.001)
        line = Timeline(arrived_s=arrived_s, phase_at_s={"train": -1e300}, download=offset)
        clients[place] = msgspec.structs.replace(clients[place], timeline=line)
    devices = {name: _report() for name in NAMES.values()}
    devices["controller"] = {"doctor": {"findings": [_finding("fail")]}}
    devices["words"] = {"device": "words", "doctor": "words", "shaping": [1]}
    header = msgspec.structs.replace(made.header, agents=tuple(NAMES.values()), devices=devices)
    events = [_event(event) for event in made.events]
    events += [msgspec.structs.replace(events[0], at_s=at_s) for at_s in (-1e300, 1e300)]
    return replace(made, header=header, clients=tuple(clients), events=tuple(events))


def write(folder: Path) -> Path:
    """The run as a folder, with samples of which no moment and no watt can be."""
    made = run()
    run_folders.write(folder, made)
    (folder / "events.jsonl").write_bytes(msgspec.json.Encoder().encode_lines(list(made.events)))
    at_s = [1.0, 2.0, 3.0, NAN, INF, -INF, 1e300, None]
    table = {
        "agent": [TAG, END, None, *[TAG] * 5],
        "source": ["ina3221"] * 8,
        "at_s": [1.0] * 8,
        "run_s": at_s,
        "total_w": [NAN, INF, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0],
        f"rail_{TAG}_w": [1e308] * 8,
    }
    pq.write_table(pa.table(table), folder / "telemetry.parquet")
    return folder


def _client(client: Any) -> Any:
    rails: dict[str, float | None] = {TAG: 1.0, FORMULA: 2.0, ESCAPES: 1e308}
    vitals = msgspec.structs.replace(client.vitals, power_mode=FORMULA, source=TAG, rails_j=rails)
    return msgspec.structs.replace(client, agent=NAMES[client.agent], vitals=vitals)


def _event(event: Any) -> Any:
    record = event.record and msgspec.structs.replace(event.record, agent=NAMES[event.record.agent])
    told = {"agent": NAMES.get(event.agent, event.agent), "host": TAG, "reason": f"{END}{ESCAPES}"}
    return msgspec.structs.replace(event, record=record, **told)


def _finding(state: str) -> dict[str, Any]:
    return {"name": FORMULA, "state": state, "says": f"{TAG}{ESCAPES}", "do": END, "values": {}}


def _report() -> dict[str, Any]:
    clocks = {"governor": ESCAPES, "cpu_max_hz": 10**400, "gpu_max_hz": True, "y_hz": [1, {}], "clock": {END: [TAG]}}
    odd = [{"name": 5}, 7, None, {"name": END, "state": "fail", "says": {"a": TAG}}]
    return {
        "device": {"model": FORMULA, "power_mode": TAG, **clocks},
        "doctor": [_finding("warn"), *odd],
        "shaping": {"kind": TAG, "interface": END},
        "idle": {"idle_w": TAG},
    }
