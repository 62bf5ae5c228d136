"""A controller for agents on devices whose links the kernel keeps: ``OUT BIND KEYS SOCKET [KEY=VALUE ...]``.

It runs a round of two clients of the small profile without training, over 25 Mbit/s with 10 ms of latency; overrides
come after the helper's socket. A run that is in OUT already is resumed.
"""

from __future__ import annotations

import sys
from pathlib import Path

from benchtools import NULL, TINY
from rich.console import Console

from harness import launch
from harness.bench import RunOptions, carry_on, new_run, resumable
from harness.errors import FederaBenchError
from harness.learning.workload import Sources
from harness.progress import ProgressScreen

METHOD = "fedft"
SETS = (
    "link.rate_mbps=25",
    "link.latency_s=0.01",
    "link.shaping=kernel",
    "train.null_noise=0.01",
    "rounds.clients_per_round=2",
    "rounds.count=1",
    "agents.count=1",
    NULL[1],
)


def main(out: str, bind: str, keys: str, shaper: str, *sets: str) -> int:
    """Run it; the exit code."""
    experiment = launch.experiment_of(TINY, [*SETS, *sets])
    options = RunOptions(Path(out), bind, local_agents=False, keys=Path(keys), shaper=shaper)
    begun = [header.parent for header in Path(out).glob("*/header.json")]
    try:
        folder = resumable(begun[0]) if begun else new_run(experiment, METHOD, Sources(), options)
        with ProgressScreen(Console(stderr=True), experiment, METHOD) as screen:
            carry_on(folder, options, screen)
    except FederaBenchError as error:
        sys.stderr.write(f"federa-bench: {error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
