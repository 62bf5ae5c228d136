"""The one door to Ray: a cluster joined or started, its nodes, processes on them, and bytes in its object store.

What travels is bytes that :mod:`harness.fleets.cluster_wire` made; nothing of this package's is pickled by it.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from harness.environment import share
from harness.errors import FederaBenchError, TrainerError, UsageError
from harness.fleets.cluster_address import LOCAL, address_of_cluster, check_address

MOST_SAID = 300
"""Characters of what Ray says."""
START_S = 120.0
"""A node that starts no process in this time has none to give."""
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_SCHEDULER_EVENTS": "0",
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
"""Keeps Ray from telling others, or this process' stdout, what nobody asked for. The last: trainers see the
accelerators of their node, though they reserve none."""

Handle = Any
"""A process on a node; its methods are called with ``.remote`` and give a :data:`Ref`."""
Ref = Any
"""Something in the object store, or the answer of a process that is still to come."""
Told = Callable[[Any, "str | None"], None]


class Node(NamedTuple):
    """A node that lives: its id in the cluster, its address, and how many cores Ray may give away there."""

    id: str
    host: str
    cores: int


class Cluster:
    """A cluster that this process has joined. One at a time: Ray's session is the process' own."""

    def __init__(self, own: bool) -> None:
        self._own = own

    @classmethod
    def joined(cls, address: str | None) -> Cluster:
        """Join the cluster at ``address``; None: at RAY_ADDRESS, or one of this machine's own, started now.

        Where this process is in a cluster already it stays in that one.

        Raises:
            UsageError: Ray is not installed, nobody answers there, or with another version.
        """
        os.environ.update({name: os.environ.get(name, value) for name, value in QUIET.items()})
        where = address_of_cluster(address)
        check_address(where)
        import ray

        if ray.is_initialized():
            return cls(own=False)
        with _signals_kept(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _join(where)
        return cls(own=True)

    def nodes(self) -> list[Node]:
        """The nodes that live, by id, so that all callers have them in one order."""
        import ray

        with _gone_in_words():
            living = [one for one in ray.nodes() if one["Alive"]]  # type: ignore[no-untyped-call]
        found = (Node(one["NodeID"], one["NodeManagerAddress"], int(one["Resources"].get("CPU", 0))) for one in living)
        return sorted(found)

    def start(self, kind: type, node: str | None, cores: float, *arguments: object, at_once: int = 1) -> Handle:
        """A process of ``kind`` that holds ``cores`` of a node (None: of whichever has them).

        ``at_once`` of its methods may run at a time.
        """
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        where: object = NodeAffinitySchedulingStrategy(node, soft=False) if node else "SPREAD"
        options = {"num_cpus": cores, "scheduling_strategy": where, "max_concurrency": at_once}
        with _gone_in_words():
            return ray.remote(kind).options(**options).remote(*arguments)

    def put(self, data: bytes) -> Ref:
        """Bytes in the object store; nodes that ask for them fetch them once each."""
        import ray

        with _gone_in_words():
            return ray.put(data)

    def listen(self, ref: Ref, told: Told) -> None:
        """Have ``told`` called, in a thread of Ray's, with the answer and None, or with None and what went wrong."""

        def over(future: Any) -> None:
            error = future.exception()
            if error is None:
                told(future.result(), None)
            else:
                told(None, first_line(error))

        ref.future().add_done_callback(over)

    def get(self, refs: Mapping[str, Ref], timeout_s: float = START_S) -> dict[str, Any | FederaBenchError]:
        """The answers, by the keys of ``refs``; where one failed or did not come in time, an error that says why."""
        import ray

        if refs:
            ray.wait(list(refs.values()), num_returns=len(refs), timeout=timeout_s)
        answers: dict[str, Any | FederaBenchError] = {}
        for key, ref in refs.items():
            try:
                answers[key] = ray.get(ref, timeout=0.01)
            except Exception as error:  # whatever ended it: its class is Ray's or the process' own
                answers[key] = TrainerError(first_line(error))
        return answers

    def end(self, handle: Handle) -> None:
        """End a process, whatever it does; one that is gone already is left so."""
        import ray

        ray.kill(handle, no_restart=True)

    def close(self) -> None:
        """Leave the cluster; one that was started for this process ends, and all processes started here do."""
        import ray

        if self._own:
            with _signals_kept():
                ray.shutdown()


def first_line(error: BaseException) -> str:
    """What went wrong, in a line: Ray's errors go on with traces and details of its own."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    own = type(error).__name__.startswith("RayTaskError")  # a trace of the node's, and what was raised there
    return (lines[-1] if own else lines[0])[:MOST_SAID]


def _join(where: str) -> None:
    import ray

    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if where == LOCAL:
        quiet |= {"include_dashboard": False, "num_cpus": share()}
    try:
        ray.init(address=where, **quiet)
    except Exception as error:  # Ray has no class for this: it raises what its parts do
        raise UsageError(_refused(where, error)) from None


def _refused(where: str, error: Exception) -> str:
    said = " ".join(str(error).split())
    if "ersion mismatch" in said:
        return f"the Ray cluster at {where} has another version of Ray or Python than this machine: {said[:300]}"
    return (
        f"the Ray cluster at {where} cannot be joined ({said[:200] or type(error).__name__}); this machine has to be "
        "one of its nodes: ray start --address HOST:PORT"
    )


@contextmanager
def _gone_in_words() -> Iterator[None]:
    """
    Raises:
        TrainerError: the cluster does not answer any more, or has no room for more.
    """
    import ray

    try:
        yield
    except ray.exceptions.OutOfDiskError:
        raise TrainerError(
            "the disk of this machine that Ray's object store spills to is full; make room there, in the folder that "
            "`ray start` has as --temp-dir, or /tmp/ray, then go on with the run"
        ) from None
    except ray.exceptions.ObjectStoreFullError:
        raise TrainerError(
            "Ray's object store on this machine is full; give it more with `ray start --object-store-memory`, or "
            "train with smaller files, then go on with the run"
        ) from None
    except (ray.exceptions.RayError, ConnectionError) as error:
        raise TrainerError(
            f"the Ray cluster does not answer any more ({first_line(error)}); start it, then go on with the run"
        ) from None


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Ray takes SIGTERM for itself; how a run ends is the run's to say."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
