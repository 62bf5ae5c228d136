"""Measures the round machine with one simulated fleet; each part in a process, and memory, of its own.

    python tests/perf/scale_probe.py live    --agents 1000 --rounds 3 --folder DIR     a run, and its events.jsonl
    python tests/perf/scale_probe.py recover --agents 1000 --rounds 3 --folder DIR     a new controller reads it again
    python tests/perf/scale_probe.py memory  --agents 1000 --rounds 3 --folder DIR     what the machine holds of it

Prints one JSON object of figures.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
import tracemalloc
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)  # not this folder: its modules are perf.base and so on

import msgspec
import psutil
from perf.simulator import SimulatedFleet, plan_of
from perf.weather import Weather

from harness.rounds import commands as c
from harness.rounds import events as e
from harness.rounds.machine import RoundMachine
from harness.rounds.plan import RunPlan
from harness.rounds.replay import replay, written
from harness.store import EVENTS, RunFolder

SEED = 0


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("part", choices=["live", "recover", "memory"])
    parser.add_argument("--agents", type=int, required=True)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument(
        "--folder", type=Path, required=True, help="of the run; recover and memory read what live wrote"
    )
    asked = parser.parse_args()
    part = {"live": live, "recover": recovered, "memory": held}[asked.part]
    found = part(RunFolder(asked.folder), plan_of(asked.agents, asked.rounds), asked.agents)
    print(msgspec.json.encode(found).decode())
    return 0


def live(folder: RunFolder, plan: RunPlan, agents: int) -> dict[str, float]:
    """A run from its opening to its end, with a controller lost as half of the rounds are done.

    ``handle_s`` is the processor time of the machine for all events, ``longest_s`` that for the one that took longest
    (the opening of a round, as a rule).
    """
    fleet, machine = SimulatedFleet(plan, agents, Weather(), SEED), RoundMachine(plan)
    handle_s = longest_s = 0.0
    events = updates = 0
    resumed = False
    while (event := fleet.next_event()) is not None:
        if not resumed and len(machine.records) == plan.rounds // 2 and isinstance(event, e.UpdateReceived):
            event, resumed = fleet.lose_controller(), True
            machine = replay(plan, folder.read_events())[0]
        folder.append_event(event)
        began_s = time.thread_time()
        orders = machine.handle(event)
        handled_s = time.thread_time() - began_s
        fleet.carry_out(orders)
        handle_s += handled_s
        longest_s = max(longest_s, handled_s)
        events += 1
        updates += sum(isinstance(order, c.WriteClient) for order in orders)
    if machine.phase != "finished":
        raise SystemExit(f"the simulated run of {agents} agents ended as {machine.phase}, in round {machine.round}")
    return {
        "events": events,
        "updates": updates,
        "handle_s": handle_s,
        "longest_s": longest_s,
        "events_bytes": (folder.path / EVENTS).stat().st_size,
        "round_s": sum(record.wall_s for record in machine.records) / plan.rounds,
    }


def recovered(folder: RunFolder, plan: RunPlan, agents: int) -> dict[str, float]:
    """What a new controller does before it goes on: reads and decodes all events, replays them, and writes what follows
    from them. ``recover_peak_bytes`` is the memory it needs for that, above its own at rest."""
    process = psutil.Process()
    rest_bytes = process.memory_info().rss
    began_s = time.perf_counter()
    events = folder.read_events()
    read_s = time.perf_counter()
    _, orders = replay(plan, events)
    replayed_s = time.perf_counter()
    folder.rewrite_derived(*written(orders))
    rewritten_s = time.perf_counter()
    return {
        "read_s": read_s - began_s,
        "replay_s": replayed_s - read_s,
        "rewrite_s": rewritten_s - replayed_s,
        "recover_peak_bytes": _peak_bytes() - rest_bytes,
    }


def held(folder: RunFolder, plan: RunPlan, agents: int) -> dict[str, float]:
    """What Python's allocator holds of the machine, as its first and its last round are closed; events and orders are
    let go of. ``round_bytes``: by how much it grows with each round."""
    decoder: msgspec.json.Decoder[e.AnyEvent] = msgspec.json.Decoder(e.AnyEvent)
    marks: list[int] = []
    tracemalloc.start()
    machine = RoundMachine(plan)
    with (folder.path / EVENTS).open("rb") as lines:
        for line in lines:
            machine.handle(decoder.decode(line))
            if len(machine.records) > len(marks):
                gc.collect()
                marks.append(tracemalloc.get_traced_memory()[0])
    return {"machine_bytes": marks[-1], "round_bytes": (marks[-1] - marks[0]) / max(1, len(marks) - 1)}


def _peak_bytes() -> int:
    """The most memory that this process held so far, as the kernel counts it."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise SystemExit("the kernel does not tell this process' peak memory (VmHWM)")


if __name__ == "__main__":
    sys.exit(main())
