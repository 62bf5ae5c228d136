"""A lab as network namespaces: a controller and two devices at a switch, a helper at each, keys, a run on them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from benchtools import LONGEST_S, only_run, until
from link_ends import CABLE
from shaping_stage import Machines, run

from harness.keys import AllowedList, make_pair

PROGRAM = str(Path(__file__).with_name("kernel_controller.py"))
ADDRESSES = {"controller": "10.78.2.1", "d1": "10.78.2.11", "d2": "10.78.2.12"}
ENDPOINT = f"tcp://{ADDRESSES['controller']}:5555"
SWITCH = "switch"


class Lab(Machines):
    """Machines that are called as their agents are."""

    peers: ClassVar = {at: ADDRESSES["d1" if at == "controller" else "controller"] for at in ADDRESSES}

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.names[SWITCH] = f"{self.names['controller']}-s"
        self.folder, self.keys, self.runs = folder, folder / "keys", folder / "runs"
        make_pair(self.keys, "controller")
        for name in ("d1", "d2"):
            AllowedList(self.keys).add(make_pair(self.keys, name))

    def control(self, *sets: str) -> subprocess.Popen[str]:
        """The controller of the run, which it begins or resumes."""
        words = [PROGRAM, str(self.runs), ENDPOINT, str(self.keys), str(self.socket("controller")), *sets]
        return self._logged("controller", *words)

    def agent(self, name: str, *options: str) -> subprocess.Popen[str]:
        """The agent of a device."""
        words = ["-m", "agents", "--connect", ENDPOINT, "--name", name, "--keys", str(self.keys), "--once", *options]
        return self._logged(
            name, *words, "--cache", str(self.folder / f"cache-{name}"), "--shaper", str(self.socket(name))
        )

    def flows(self, at: str) -> int:
        """How many flows the helper of a machine keeps: its classes, without those that keep nothing."""
        return self.classes(at).count("leaf")

    def disciplines(self) -> dict[str, str]:
        """What queues at each machine's interfaces, as ``tc`` shows it."""
        return {at: self.run(at, "tc", "qdisc", "show") for at in ADDRESSES}

    def events(self, kind: str) -> int:
        """How many events of a kind the run has by now."""
        (log,) = list(self.runs.glob("*/events.jsonl")) or [None]
        return 0 if log is None else log.read_text().count(f'"event":"{kind}"')

    def until_events(self, kind: str, count: int = 1) -> None:
        """Wait for so many of them."""
        until(lambda: self.events(kind) >= count, f"{count} x {kind}; {self.said()}")

    def said(self) -> str:
        """What everybody printed."""
        return "\n".join(f"{log.name}: {log.read_text()[-3000:]}" for log in sorted(self.folder.glob("*.log")))

    def ended(self, controller: subprocess.Popen[str]) -> Path:
        """Wait for the controller's end; the run."""
        assert controller.wait(LONGEST_S) == 0, self.said()
        return only_run(self.runs)

    def _logged(self, at: str, *words: str) -> subprocess.Popen[str]:
        with (self.folder / f"{at}.log").open("ab") as log:
            options: dict[str, Any] = {"stdout": log, "stderr": log}
            return self.start(at, sys.executable, *words, **options)

    def _lay(self) -> None:
        for name in self.names.values():
            run("ip", "netns", "add", name)
        switch = self.names[SWITCH]
        run("ip", "-n", switch, "link", "add", SWITCH, "type", "bridge")
        for at, address in ADDRESSES.items():
            run(
                "ip", "link", "add", CABLE, "netns", self.names[at], "type", "veth", "peer", "name", at, "netns", switch
            )
            run("ip", "-n", switch, "link", "set", at, "master", SWITCH, "up")
            run("ip", "-n", self.names[at], "address", "add", f"{address}/24", "dev", CABLE)
            for device in ("lo", CABLE):
                run("ip", "-n", self.names[at], "link", "set", device, "up")
        run("ip", "-n", switch, "link", "set", SWITCH, "up")


@contextmanager
def lab(folder: Path) -> Iterator[Lab]:
    """All of it, with a helper at each machine."""
    with Lab(folder) as machines:
        for at in ADDRESSES:
            machines.helper(at)
        yield machines
