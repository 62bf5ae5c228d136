"""Crews with links that the kernel keeps: refused without the helper, and with it kept on a cable between machines."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from benchtools import LONGEST_S, TINY, only_run
from link_ends import CONTROLLER
from pyarrow import parquet
from shaping_stage import Machines

from harness import launch
from harness.bench import RunOptions, carry_on, new_run
from harness.crews import crew_of
from harness.errors import ShapingError, UsageError
from harness.keys import AllowedList, make_pair
from harness.learning.workload import Sources

KERNEL = ["link.rate_mbps=25", "link.shaping=kernel"]
BIND = f"tcp://{CONTROLLER}:*"
PROGRAM = str(Path(__file__).with_name("kernel_controller.py"))


class Listener:
    """Keeps what a run says before it begins."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)

    def saw(self, event: object, machine: object) -> None:
        raise AssertionError(f"nothing happens in a run that is refused, but {event} did")


def test_without_the_helper_a_run_is_refused_before_anything_is_prepared(tmp_path: Path) -> None:
    make_pair(tmp_path / "keys", "controller")
    experiment, socket = launch.experiment_of(TINY, KERNEL), str(tmp_path / "nobody.sock")
    options = RunOptions(tmp_path, "tcp://0.0.0.0:*", local_agents=False, keys=tmp_path / "keys", shaper=socket)
    folder, heard = new_run(experiment, "federa", Sources(), options), Listener()
    with pytest.raises(ShapingError, match=r"needs its privileged helper.*nobody\.sock.*link\.shaping: user"):
        carry_on(folder, options, heard)  # type: ignore[arg-type]
    assert heard.lines == []
    assert list((folder.path / "work").iterdir()) == []
    assert folder.read_header().state == "failed"


def test_a_crew_on_this_machine_has_no_links_for_a_kernel(tmp_path: Path) -> None:
    experiment = launch.experiment_of(TINY, KERNEL)
    with pytest.raises(UsageError, match="needs agents on devices of their own"):
        crew_of(experiment, "federa", tmp_path, None, local_agents=True)
    virtual = launch.experiment_of(TINY, KERNEL, fleet="virtual")
    crew_of(virtual, "federa", tmp_path, None, local_agents=True).close()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on two machines, each with its helper."""
    folder = tmp_path_factory.mktemp("kernel")
    keys = folder / "keys"
    make_pair(keys, "controller")
    AllowedList(keys).add(make_pair(keys, "d1"))
    logs = [(folder / f"{at}.log").open("wb") for at in ("controller", "agent")]
    with Machines(folder) as machines, logs[0] as controllers, logs[1] as agents:
        for at in ("controller", "agent"):
            machines.helper(at)
        words = [PROGRAM, str(folder / "runs"), f"tcp://{CONTROLLER}:5555", str(keys)]
        words += [str(machines.socket("controller"))]
        controller = machines.start("controller", sys.executable, *words, stderr=controllers)
        words = ["-m", "agents", "--connect", f"tcp://{CONTROLLER}:5555", "--name", "d1", "--keys", str(keys), "--once"]
        words += ["--cache", str(folder / "cache"), "--shaper", str(machines.socket("agent"))]
        machines.start("agent", sys.executable, *words, stderr=agents)
        assert controller.wait(LONGEST_S) == 0, "".join(log.read_text() for log in folder.glob("*.log"))
    return only_run(folder / "runs")


def test_downloads_have_the_rate_that_the_controllers_kernel_keeps(run: Path) -> None:
    for line in (run / "clients.jsonl").read_text().splitlines():
        record = json.loads(line)
        assert (record["link_down_bps"], record["link_up_bps"]) == (pytest.approx(25e6), pytest.approx(25e6))
        for way in ("down", "up"):
            assert record[f"{way}load_s"] >= 0.95 * record[f"{way}load_bytes"] * 8 / 25e6


def test_what_both_kernels_keep_stands_in_the_header_with_their_count(run: Path) -> None:
    devices: dict[str, Any] = json.loads((run / "header.json").read_text())["devices"]
    down, up = devices["controller"]["shaping"]["d1"], devices["d1"]["shaping"]
    assert (down["rate_mbps"], up["rate_mbps"]) == (25.0, 25.0)
    moved_bytes = sum(json.loads(line)["download_bytes"] for line in (run / "clients.jsonl").read_text().splitlines())
    assert down["counted"]["sent_bytes"] >= moved_bytes
    assert down["commands"]


def test_samples_of_both_machines_are_on_one_clock(run: Path) -> None:
    columns = parquet.read_table(run / "telemetry.parquet").to_pydict()
    assert set(columns["agent"]) == {"controller", "d1"}
    end_s = max(json.loads(line)["at_s"] for line in (run / "events.jsonl").read_text().splitlines())
    told_s = [run_s for run_s in columns["run_s"] if run_s is not None]
    assert 0 <= min(told_s) <= max(told_s) <= end_s + 1.0
