"""A sampler, a shaper and a line of ten lines each, for tests of what stands around an agent's rounds."""

import os
from pathlib import Path

from harness.errors import ShapingError
from harness.protocol import messages as m
from harness.shaping import Applied, Flow
from harness.vitals import Vitals


class FakeSampler:
    """Says what a test puts into it. ``broken``: whatever it is asked raises."""

    def __init__(self, root: Path, hz: float) -> None:
        self.root, self.hz = root, hz
        self.fd, self._write = os.pipe()
        os.set_blocking(self.fd, False)
        self.rows: tuple[tuple[float, float], ...] = ()
        self.windows: list[tuple[float, float]] = []
        self.idles: list[tuple[float, float]] = []
        self.closed = self.broken = False

    def say(self, *at_s: float) -> None:
        """Rows of these moments are there to read."""
        self.rows += tuple((moment, 5.0) for moment in at_s)
        os.write(self._write, b"x")

    def read(self) -> list[m.Telemetry]:
        self._ask()
        if not self.rows:
            return []
        os.read(self.fd, 100)
        rows, self.rows = self.rows, ()
        return [m.Telemetry(source="fake", fields=("at_s", "total_w"), rows=rows)]

    def window(self, begin_s: float, end_s: float) -> Vitals:
        self._ask()
        self.windows.append((begin_s, end_s))
        return Vitals(source="fake", samples=2, coverage=1.0, energy_j=5.0 * (end_s - begin_s))

    def idle(self, begin_s: float, end_s: float) -> float:
        self._ask()
        self.idles.append((begin_s, end_s))
        return 5.0

    def describe(self) -> dict[str, object]:
        self._ask()
        return {"source": "fake", "board": "made"}

    def close(self) -> None:
        if not self.closed:
            os.close(self.fd)
            os.close(self._write)
        self.closed = True

    def _ask(self) -> None:
        if self.broken:
            raise RuntimeError("the sampler has a fault")


class FakeShaper:
    """Keeps flows in a list. ``missing``: there is no helper; ``gone``: it has ended."""

    def __init__(self) -> None:
        self.shaped: list[Flow] = []
        self.connected = self.closed = 0
        self.missing = self.gone = False

    def connect(self, path: Path | None) -> "FakeShaper":
        if self.missing:
            raise ShapingError("there is no helper; set link.shaping: user")
        self.connected += 1
        return self

    def shape(self, flow: Flow) -> Applied:
        self.shaped.append(flow)
        return Applied(interface="eth0", rate_mbps=flow.rate.rate_mbps, begun_s=10.0)

    def lost(self) -> bool:
        return self.gone

    def close(self) -> None:
        self.closed += 1


class FakeLine:
    """Keeps what is sent beside the rounds."""

    connection = 1

    def __init__(self) -> None:
        self.beside: list[m.Message] = []

    def send_beside(self, message: m.Message) -> None:
        self.beside.append(message)
