"""What a round over a slow link, 25 Mbit/s, takes beyond the link and a training of one second."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Sequence

from perf import sleeping_agent
from perf.base import Benchmark, Figure, Pace, Result
from perf.null_runs import STATE_BYTES, Course, conducted, settings, with_keys
from perf.sleeping_agent import TRAINING_S

from harness.keys.allowed import AllowedList
from harness.keys.folder import make_pair
from harness.records import ClientRecord

AGENTS = 4
RATE_MBPS = 25
LINK = ("link=ethernet-1000", "link.name='shaped-25'", f"link.rate_mbps={RATE_MBPS}", "link.latency_s=0")


def run(pace: Pace) -> Result:
    """One run, a value for each round."""
    agents, size_bytes, rounds = (2, STATE_BYTES // 16, 2) if pace.quick else (AGENTS, STATE_BYTES, pace.repetitions)
    course = _course(pace, agents, size_bytes, rounds)
    slowest = [max(_of_round(course, record.round), key=_phases_s) for record in course.rounds]
    aggregate_s = [record.aggregate_s for record in course.rounds]
    link_s = size_bytes * 8 / (RATE_MBPS * 1e6)
    parts = zip(course.round_s, slowest, aggregate_s, strict=True)
    added = [(round_s, round_s - _phases_s(client) - spent_s) for round_s, client, spent_s in parts]
    return Result(
        letter="b",
        figures=(
            Figure(name="round", unit="s", values=tuple(course.round_s)),
            Figure(name="other_s and wait", unit="s", values=tuple(spent_s for _, spent_s in added)),
            Figure(
                name="other_s and wait, share of a round",
                unit="%",
                values=tuple(100 * spent_s / round_s for round_s, spent_s in added),
                at_most=1.0,
            ),
            _beyond(course.round_s, 2 * link_s + TRAINING_S),
            Figure(name="aggregation", unit="s", values=tuple(aggregate_s)),
            Figure(name="download over the link's own time", unit="", values=_over(link_s, course, "download_s")),
            Figure(name="upload over the link's own time", unit="", values=_over(link_s, course, "upload_s")),
        ),
        remark=(
            f"{agents} agents with a link each, {size_bytes:,} bytes each way ({link_s:.3f} s), and a trainer that "
            f"sleeps for {TRAINING_S:g} s. A round is from one new state to the next. What has a limit is other_s of "
            "its slowest client, whom the others wait for, and that client's wait before and after: the round without "
            "that client's download, loading, training, serialising and upload, and without aggregation. What is "
            "beyond link and training is all that is ours, with loading, serialising, aggregation and what transfers "
            "take longer: the round without both transfers at the link's rate, and without the sleep."
        ),
    )


def _course(pace: Pace, count: int, size_bytes: int, rounds: int) -> Course:
    keys = with_keys(pace.folder / "keys")
    processes: list[subprocess.Popen[bytes]] = []

    def come(endpoint: str) -> None:
        for name in names:
            argv = [sys.executable, sleeping_agent.__file__, endpoint, name, str(keys), str(pace.folder / name)]
            processes.append(subprocess.Popen(argv, stderr=subprocess.DEVNULL))

    names = [f"sleeper-{number}" for number in range(count)]
    for name in names:
        AllowedList(keys).add(make_pair(keys, name))
    try:
        sets = [*settings(count, size_bytes), *LINK]
        return conducted(pace.folder / "runs", rounds, sets, come=come, keys=keys, warm_ups=1)
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _of_round(course: Course, number: int) -> list[ClientRecord]:
    return [client for client in course.clients if client.round == number]


def _phases_s(client: ClientRecord) -> float:
    """What the client's own work and its link take."""
    return client.download_s + client.load_s + client.train_s + client.serialise_s + client.upload_s


def _beyond(round_s: Sequence[float], needed_s: float) -> Figure:
    """The share of each round that neither the link nor the training needs."""
    shares = tuple(100 * (spent_s - needed_s) / spent_s for spent_s in round_s)
    return Figure(name="beyond link and training, share of a round", unit="%", values=shares)


def _over(link_s: float, course: Course, phase: str) -> tuple[float, ...]:
    """How much longer a phase took than the link alone would: the median client of each round."""
    took_s = [[getattr(client, phase) for client in _of_round(course, record.round)] for record in course.rounds]
    return tuple(statistics.median(seconds) / link_s for seconds in took_s)


BENCHMARK = Benchmark(
    "b",
    "A round over a slow link",
    "Links of 25 Mbit/s, as agents keep them, 4.72 MB each way, and one second of training: what of a round is "
    "other_s and the wait that no other client causes, and what is beyond the link and the training.",
    run,
)
