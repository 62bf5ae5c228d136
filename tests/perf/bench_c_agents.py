"""What a controller has to do for each of 10, 30 and 100 agents in a round; and for each of 10 with full states."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
from perf import light_agents
from perf.base import Benchmark, Figure, Pace, Result, ratios
from perf.null_runs import STATE_BYTES as FULL_BYTES
from perf.null_runs import Course, conducted, settings, with_keys

from harness.keys.allowed import AllowedList
from harness.keys.folder import read_public
from harness.keys.keyfile import Named

STATE_BYTES = 4096
"""Small: what is not moving bytes shows. What bytes cost is a figure of its own."""
SIZES = (10, 30, 100)
ROUNDS = 20
FULL_AGENTS, FULL_ROUNDS = 10, 3
"""With full states; few rounds, for each takes most of a second."""


def run(pace: Pace) -> Result:
    """Runs of all sizes in turns, then those with full states; of a run, the median of its rounds."""
    sizes, rounds = ((2, 4), 3) if pace.quick else (SIZES, ROUNDS)
    found: dict[int, list[Course]] = {size: [] for size in sizes}

    def cpu_ms(size: int) -> float:
        course = _course(pace.folder / f"{size}-{len(found[size])}", size, rounds)
        found[size].append(course)
        return 1000 * statistics.median(course.cpu_s) / size

    cpu = pace.side_by_side({f"{size} agents": (lambda size=size: cpu_ms(size)) for size in sizes})
    wall = {size: _wall_ms(courses[pace.warm_ups :], size) for size, courses in found.items()}
    figures = []
    for size, values in zip(sizes, cpu.values(), strict=True):
        figures.append(Figure(name=f"processor, {size} agents", unit="ms a client", values=tuple(values), at_most=1.0))
        figures.append(Figure(name=f"wall, {size} agents", unit="ms a client", values=wall[size]))
    few, many = (cpu[f"{size} agents"] for size in (sizes[0], sizes[-1]))
    growth = Figure(
        name=f"processor a client, {sizes[-1]} over {sizes[0]} agents", unit="", values=ratios(many, few), at_most=1.0
    )
    figures += [growth, _full(pace)]
    missed = any(figure.reached is False for figure in figures)
    return Result(
        letter="c", figures=tuple(figures), remark=REMARK, profile=_profile(pace, sizes, rounds) if missed else ""
    )


def with_states_of(size_bytes: int) -> str:
    """What the figure is called that tells the processor time of a client with states of this size."""
    return f"processor, states of {size_bytes:,} bytes"


def _full(pace: Pace) -> Figure:
    """What a client takes of the processor where its states have the size that methods send."""
    count, folders = (2 if pace.quick else FULL_AGENTS), iter(range(1000))

    def cpu_ms() -> float:
        course = _course(pace.folder / f"full-{next(folders)}", count, FULL_ROUNDS, FULL_BYTES)
        return 1000 * statistics.median(course.cpu_s) / count

    name = with_states_of(FULL_BYTES)
    return Figure(name=name, unit="ms a client", values=tuple(pace.side_by_side({name: cpu_ms})[name]))


def _profile(pace: Pace, sizes: Sequence[int], rounds: int) -> str:
    """Where the processor time goes with the fewest agents, and with the most."""
    told = []
    for size in (sizes[0], sizes[-1]):
        pace.say(f"once more with {size} agents, to see where the processor time goes")
        course = _course(pace.folder / f"watched-{size}", size, rounds, watched=True)
        told.append(f"{size} agents\n{course.profile}")
    return "\n".join(told)


REMARK = (
    f"A client's round is a task, a state of {STATE_BYTES:,} bytes there and back, its record checked and written, its "
    "update averaged; heartbeats go on meanwhile. Agents are sockets of one other process that say what agents say and "
    "do nothing: no file, no hash, no trainer, no sensors. Processor time is that of all threads of the controller's "
    "process, encryption and aggregation included; the wall's seconds have that other process in them, too. "
    f"With states of {FULL_BYTES:,} bytes (FeDeRA on RoBERTa-base) there are {FULL_AGENTS} agents: that the controller "
    "encrypts, hashes, writes, reads and averages those bytes is most of its processor time then. docs/scale.md counts "
    "with that figure."
)


def _course(folder: Path, count: int, rounds: int, state_bytes: int = STATE_BYTES, *, watched: bool = False) -> Course:
    """A run with so many light agents."""
    keys = with_keys(folder / "keys")
    light = light_agents.LightKeys.made(read_public(keys / "controller.public").key, count)
    allowed, crowd = AllowedList(keys), list[subprocess.Popen[bytes]]()
    for number, (public, _) in enumerate(light.pairs):
        allowed.add(Named(light_agents.named(number), public))

    def come(endpoint: str) -> None:
        argv = [sys.executable, light_agents.__file__, endpoint, str(count)]
        crowd.append(subprocess.Popen(argv, stdin=subprocess.PIPE))
        assert crowd[0].stdin is not None
        crowd[0].stdin.write(msgspec.json.encode(light))
        crowd[0].stdin.close()

    try:
        sets = settings(count, state_bytes)
        return conducted(folder / "runs", rounds, sets, come=come, keys=keys, watched=watched)
    finally:
        for process in crowd:
            process.kill()
            process.wait()


def _wall_ms(courses: list[Course], size: int) -> tuple[float, ...]:
    return tuple(1000 * statistics.median(course.round_s) / size for course in courses)


BENCHMARK = Benchmark(
    "c",
    "The controller of 10, 30 and 100 agents",
    "Null trainers and encrypted loopback sockets, all agents in every round: what the controller needs for each "
    "client of a round, whether that grows with their number, and what it is with 4.72 MB to and from each of ten.",
    run,
)
