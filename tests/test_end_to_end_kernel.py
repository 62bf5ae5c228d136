"""Runs on three machines at a switch, their links kept by the kernels, their agents with keys: to the states that the
user-space shaper comes to, whoever is killed, and with nothing of ours left on any interface.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from benchtools import TINY, bench, hashes, only_run, until
from kernel_controller import METHOD, SETS
from lab_stage import ADDRESSES, Lab, lab
from made_board import MadeBoard
from pyarrow import parquet

ROUNDS, CLIENTS, STATE_BYTES = 3, 2, 4_000_000
RUN = (f"rounds.count={ROUNDS}", "agents.count=2", f"train.null_state_bytes={STATE_BYTES}")
WIFI = "link={name: wifi, rate_min_mbps: 20, rate_max_mbps: 30, step_s: 0.5, shaping: kernel}"
USER = "link={name: fast, rate_mbps: 1000}"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The states of the same run on this machine, where agents keep their links."""
    folder = tmp_path_factory.mktemp("plain")
    sets = [word for value in (*SETS, *RUN, USER) for word in ("--set", value)]
    result = bench("run", TINY, "--method", METHOD, *sets, cwd=folder)
    assert result.returncode == 0, result.stderr
    return hashes(only_run(folder / "runs"))


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Lab]:
    """The lab; when a test is done with it, nothing queues anywhere that did not before."""
    with lab(tmp_path) as machines:
        before = machines.disciplines()
        yield machines
        until(lambda: machines.disciplines() == before, f"no queueing discipline of ours: {machines.disciplines()}")


def updates(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "clients.jsonl").read_text().splitlines()]


def check_rates(run: Path) -> None:
    """Undisturbed transfers had what their link allowed in their own seconds, within 3 %.

    In the median, both ways: what else this machine does may hold up one of them.
    """
    told = [each for each in updates(run) if each["breaks"] == 0 and each["resumed_bytes"] == 0]
    assert len(told) > CLIENTS
    for way in ("down", "up"):
        shares = [each[f"{way}load_bps"] / each[f"link_{way}_bps"] for each in told]
        assert median(shares) == pytest.approx(1.0, abs=0.03), (way, shares)


def check_books(run: Path) -> None:
    """Each client of each round counted once."""
    counted = [(each["round"], each["client"]) for each in updates(run)]
    assert len(counted) == len(set(counted)) == ROUNDS * CLIENTS


def test_over_a_trace_the_flow_of_an_agent_that_is_killed_goes_and_comes_again_with_it(
    machines: Lab, plain: list[str]
) -> None:
    controller = machines.control(*RUN, WIFI, "agents.lost_after_s=15")
    agents = {name: machines.agent(name) for name in ("d1", "d2")}
    machines.until_events("agent-joined", 2)
    assert [machines.flows(at) for at in ADDRESSES] == [2, 1, 1]
    agents["d2"].kill()
    until(lambda: machines.flows("d2") == 0, "the helper to notice that its client has gone")
    assert machines.events("agent-lost") == 0, "long before the controller does"
    machines.until_events("agent-lost")
    assert machines.flows("controller") == 1
    machines.agent("d2")
    machines.until_events("agent-joined", 3)
    assert [machines.flows(at) for at in ADDRESSES] == [2, 1, 1]
    run = machines.ended(controller)
    assert hashes(run) == plain
    check_books(run)
    check_rates(run)
    allowed_bps = {each["link_down_bps"] for each in updates(run)}
    assert len(allowed_bps) > 2, "a trace allows something else each time"
    assert all(20e6 <= each <= 30e6 for each in allowed_bps)


def test_a_controller_that_is_killed_goes_on_with_its_links_its_devices_and_one_table_of_samples(
    machines: Lab, plain: list[str], tmp_path: Path
) -> None:
    controller = machines.control(*RUN)
    with MadeBoard(tmp_path / "b1").run() as one, MadeBoard(tmp_path / "b2").run() as two:
        for name, board in (("d1", one), ("d2", two)):
            machines.agent(name, "--sys-root", str(board.root))
        machines.until_events("update-received", CLIENTS + 1)
        controller.kill()
        controller.wait()
        until(lambda: machines.flows("controller") == 0, "the helper to notice that its client has gone")
        run = machines.ended(machines.control(*RUN))
    assert hashes(run) == plain
    check_books(run)
    check_rates(run)
    assert not (run / "telemetry").exists()
    check_samples(run)
    devices = json.loads((run / "header.json").read_text())["devices"]
    assert {name: set(devices[name]["shaping"]) >= {"interface"} for name in ("d1", "d2")} == {"d1": True, "d2": True}
    assert set(devices["controller"]["shaping"]) == {"d1", "d2"}


def check_samples(run: Path) -> None:
    """Of all three machines, none twice, in the order of both clocks."""
    table = parquet.read_table(run / "telemetry.parquet").to_pydict()
    assert set(table["agent"]) == set(ADDRESSES)
    for name in ADDRESSES:
        rows = [place for place, agent in enumerate(table["agent"]) if agent == name]
        at_s = [table["at_s"][place] for place in rows]
        run_s = [table["run_s"][place] for place in rows if table["run_s"][place] is not None]
        assert len(run_s) > 10
        for stamps in (at_s, run_s):
            assert all(left < right for left, right in pairwise(stamps)), name
