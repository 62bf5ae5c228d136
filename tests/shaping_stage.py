"""Two machines and a cable between them, as network namespaces, a helper at each, and transfers between them."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, NamedTuple

import msgspec
import pytest
from link_ends import AGENT, BEAT_PORT, CABLE, CONTROLLER, PORT, Orders

from harness.errors import ShapingError
from harness.links.shape import rate_trace
from harness.profiles import RateProfile
from harness.shaping import Applied, Flow, Shaper, mean_bps
from harness.shaping.probe import Probe, Reading, probe_of, size_for

ENDS = str(Path(__file__).with_name("link_ends.py"))
PEERS = {"controller": AGENT, "agent": CONTROLLER}
"""By machine, who is at the other end of its cable."""

_numbers = count()


class Step(NamedTuple):
    """A step of a trace: the rate that was drawn, and that of payload by the interface's counter."""

    wanted_mbps: float
    found_mbps: float


class Moved(NamedTuple):
    """A transfer: the probe of it, when it ended (CLOCK_MONOTONIC), the processor's share of the agent's end, and what
    the kernel applied at the sender (None in user space)."""

    probe: Probe
    until_s: float
    cpu_share: float
    applied: Applied | None


def flow(at: str, rate_mbps: float = 25.0, **changes: Any) -> Flow:
    """What one of the machines sends to the other."""
    told = {"peer": PEERS[at], "at": at, "rate": RateProfile(rate_mbps=rate_mbps), "port": PORT, "seed": 7}
    return Flow(**({"beat_port": BEAT_PORT} | told | changes))


class Machines:
    """Use it as a context. Skips the test where namespaces cannot be made, and says why."""

    peers: ClassVar[Mapping[str, str]] = PEERS

    def __init__(self, folder: Path) -> None:
        here = f"fs{os.getpid()}-{next(_numbers)}"
        self.names = {at: f"{here}{at[0]}{at[-1]}" for at in self.peers}
        self._folder = folder
        self._processes: list[subprocess.Popen[str]] = []
        self.helpers: dict[str, subprocess.Popen[str]] = {}

    def __enter__(self) -> Machines:
        if os.geteuid() != 0:
            pytest.skip("network namespaces need root")
        try:
            self._lay()
        except (OSError, subprocess.CalledProcessError) as error:
            self.__exit__(None, None, None)
            said = getattr(error, "stderr", None) or str(error)
            pytest.skip(f"network namespaces cannot be made here: {said.strip()}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in reversed(self._processes):
            process.kill()
            process.communicate()
        for name in self.names.values():
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)

    def run(self, at: str, *command: str) -> str:
        """What a command says on one of the machines."""
        return run("ip", "netns", "exec", self.names[at], *command)

    def start(self, at: str, *command: str, **options: Any) -> subprocess.Popen[str]:
        """A process on one of the machines; it ends with the context at the latest."""
        options = {"stdout": subprocess.PIPE, "stdin": subprocess.PIPE, "text": True, **options}
        process = subprocess.Popen(["ip", "netns", "exec", self.names[at], *command], **options)
        self._processes.append(process)
        return process

    def socket(self, at: str) -> Path:
        """Where the helper of a machine listens."""
        return self._folder / f"{at}.sock"

    def helper(self, at: str, *before: str) -> subprocess.Popen[str]:
        """Start a machine's helper as :meth:`started` does; skips the test where this kernel cannot shape."""
        process = self.started(at, *before)
        with self.shaper(at) as shaper:
            try:
                shaper.check(self.peers[at])
            except ShapingError as error:
                if "this kernel has no" in str(error):
                    pytest.skip(str(error))
                raise
        return process

    def started(self, at: str, *before: str, options: Sequence[str] = ()) -> subprocess.Popen[str]:
        """Start a machine's helper, and return once it listens; ``before`` goes before its command line."""
        words = (sys.executable, "-m", "harness.shaper_command", "--socket", str(self.socket(at)), *options)
        process = self.start(at, *before, *words, stderr=subprocess.PIPE)
        self.helpers[at] = process
        said = until(process.stderr, "listens at")
        assert "listens at" in said, said
        return process

    @contextmanager
    def shaper(self, at: str) -> Iterator[Shaper]:
        """A client of a machine's helper."""
        shaper = Shaper.connect(self.socket(at))
        try:
            yield shaper
        finally:
            shaper.close()

    def classes(self, at: str) -> str:
        """The classes at a machine's end of the cable."""
        return self.run(at, "tc", "class", "show", "dev", CABLE)

    def watcher(self, at: str, rate: RateProfile) -> subprocess.Popen[str]:
        """What an interface counts from now on, a row every 10 ms; see :func:`rows_of`."""
        return self._end("watcher", Orders(**self._told(rate, 0.0, (), "nothing", "tcp")), where=at)

    def traced(self, rate: RateProfile, seconds: float, by: str) -> tuple[Moved, list[Step]]:
        """An upload at a rate that changes, and its whole steps as the interface counted them."""
        watcher = self.watcher("agent", rate)
        until(watcher.stdout, "at_s")
        (moved,) = self.moved("up", rate=rate, seconds=seconds, by=by, through="chunks")
        watcher.terminate()
        return moved, steps_of(rate, moved, rows_of(watcher))

    def moved(self, *ways: str, rate: RateProfile, seconds: float, by: str, through: str) -> list[Moved]:
        """Transfers one after the other, each as long as ``seconds``. ``by``, ``through``: see link_ends.py."""
        orders = Orders(**self._told(rate, seconds, ways, by, through))
        near = self._end("controller", orders)
        assert "listens" in until(near.stdout, "listens"), "the controller's end failed"
        told = rows_of(self._end("agent", orders))
        *rows, last = told
        applied = {"up": last["applied"], "down": rows_of(near)[-1]["applied"]}
        return [self._judged(orders, row, applied[row["way"]]) for row in rows]

    def _judged(self, orders: Orders, row: dict[str, Any], told: Any) -> Moved:
        applied = None if told is None else msgspec.convert(told, Applied)
        until_s, seconds = row["until_s"], row["seconds"]
        trace = rate_trace(orders.rate, orders.seed)
        assert trace is not None
        allowed_bps = trace.mean_bps(seconds)
        if applied is not None:
            allowed_bps = mean_bps(applied, orders.rate, until_s - seconds, until_s)
        before, after = msgspec.convert((row["before"], row["after"]), tuple[Reading, Reading])
        probe = probe_of(row["way"], CABLE, orders.size_bytes, seconds, allowed_bps, before, after)
        return Moved(probe, until_s, row["cpu_share"], applied)

    def _told(self, rate: RateProfile, seconds: float, ways: tuple[str, ...], by: str, through: str) -> dict[str, Any]:
        trace = rate_trace(rate, 7)
        assert trace is not None
        told = {"at": "", "folder": self._folder, "socket": Path(), "ways": ways, "by": by, "through": through}
        return {**told, "rate": rate, "size_bytes": size_for(trace.mean_bps(max(seconds, 1e-3)), seconds)}

    def _end(self, at: str, orders: Orders, where: str = "") -> subprocess.Popen[str]:
        where = where or at
        whole = msgspec.structs.replace(orders, at=at, socket=self.socket(where))
        return self.start(where, sys.executable, ENDS, msgspec.json.encode(whole, enc_hook=str).decode())

    def _lay(self) -> None:
        near, far = self.names["controller"], self.names["agent"]
        for name in (near, far):
            run("ip", "netns", "add", name)
        run("ip", "link", "add", CABLE, "netns", near, "type", "veth", "peer", "name", CABLE, "netns", far)
        for name, address in ((near, CONTROLLER), (far, AGENT)):
            run("ip", "-n", name, "address", "add", f"{address}/30", "dev", CABLE)
            for device in ("lo", CABLE):
                run("ip", "-n", name, "link", "set", device, "up")


def steps_of(rate: RateProfile, moved: Moved, rows: list[dict[str, Any]]) -> list[Step]:
    """The steps that lie whole within a transfer, from rows of a watcher; frames have 66 bytes of headers."""
    trace = rate_trace(rate, 7)
    assert trace is not None
    begun_s = moved.until_s - moved.probe.seconds
    trace_s = begun_s if moved.applied is None else moved.applied.begun_s
    times_s = [row["at_s"] - trace_s for row in rows]
    payload_bytes = [row["counted"]["tx_bytes"] - 66 * row["counted"]["tx_packets"] for row in rows]
    numbers = range(math.ceil((begun_s - trace_s) / rate.step_s), int((moved.until_s - trace_s) / rate.step_s))
    found = []
    for number in numbers:
        first = bisect_left(times_s, number * rate.step_s)
        last = bisect_left(times_s, (number + 1) * rate.step_s)
        seconds, moved_bytes = times_s[last] - times_s[first], payload_bytes[last] - payload_bytes[first]
        found.append(Step(trace.rate_bps(times_s[first]) / 1e6, moved_bytes * 8 / seconds / 1e6))
    return found


def until(stream: Any, word: str) -> str:
    """What a stream says up to the line with a word; all of it where that does not come."""
    said = ""
    for line in stream:
        said += line
        if word in line:
            break
    return said


def rows_of(process: subprocess.Popen[str]) -> list[dict[str, Any]]:
    """What an end told until it was done."""
    said, _ = process.communicate()
    assert process.returncode == 0, f"an end failed: {said}"
    return [json.loads(line) for line in said.splitlines()]


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
