"""A round of ten agents over loopback, encrypted, against two bare sockets that move the same bytes."""

from __future__ import annotations

import statistics
from pathlib import Path

from perf.bare_sockets import BareSockets
from perf.base import Benchmark, Figure, Pace, Result, ratios
from perf.null_runs import STATE_BYTES, conducted, settings, with_keys

PIECES_BYTES = {"large frames": 1024 * 1024, "frames as ours": 256 * 1024}
"""Of the bare sockets: what is quickest for them, and what a chunk of ours may have at most."""


def run(pace: Pace) -> Result:
    """Whole runs and bare rounds in turns; of a run, the median of its rounds."""
    agents, rounds, size_bytes = (2, 2, STATE_BYTES // 8) if pace.quick else (10, 10, STATE_BYTES)
    keys, runs = with_keys(pace.folder / "keys"), iter(range(1000))

    def round_s() -> float:
        folder: Path = pace.folder / f"run-{next(runs)}"
        return statistics.median(conducted(folder, rounds, settings(agents, size_bytes), keys=keys).round_s)

    def bare_s(piece_bytes: int) -> float:
        with BareSockets(agents, size_bytes, piece_bytes) as sockets:
            sockets.round_s()
            return statistics.median(sockets.round_s() for _ in range(rounds))

    bare = {name: (lambda piece_bytes=piece_bytes: bare_s(piece_bytes)) for name, piece_bytes in PIECES_BYTES.items()}
    found = pace.side_by_side({"round": round_s, **bare})
    best, alike = (found[name] for name in PIECES_BYTES)
    over = Figure(name="round over bare sockets", unit="", values=ratios(found["round"], best), at_most=1.5)
    profile = ""
    if not over.reached:
        pace.say("once more, to see where the processor time goes")
        watched = conducted(pace.folder / "watched", rounds, settings(agents, size_bytes), keys=keys, watched=True)
        profile = watched.profile
    return Result(
        letter="a",
        figures=(
            Figure(name="round", unit="s", values=tuple(found["round"])),
            Figure(name="bare sockets, large frames", unit="s", values=tuple(best)),
            Figure(name="bare sockets, frames as ours", unit="s", values=tuple(alike)),
            over,
            Figure(name="round over bare sockets, frames as ours", unit="", values=ratios(found["round"], alike)),
        ),
        profile=profile,
        remark=(
            f"{agents} agents, {size_bytes:,} bytes to and from each. The bare sockets do nothing with what comes. "
            "In a round each byte is hashed by the agent, by its trainer and by the controller, written to a file by "
            "each of them, read by the trainer and by both that send, and averaged into the next state, which is "
            "hashed and written. No round waits until that is on the disk; it happens beside the next round. "
            f"The {agents} agents, their trainers and their samplers are {3 * agents} processes, here on the "
            "controller's own cores: what they do is in the round's seconds."
        ),
    )


BENCHMARK = Benchmark(
    "a",
    "A round over loopback",
    "The null trainer, ten agents with keys on this machine, 4.72 MB to and from each: the time from one new state to "
    "the next, over what two bare CURVE sockets, in two processes, take to move ten times 4.72 MB there and back.",
    run,
)
