"""An agent that is asked to end does so from wherever it is: with a goodbye, no trainer left, its cache in order."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from stub_stage import Stage, ended

from harness.profiles import LinkProfile
from harness.protocol import messages as m

KEPT = {
    "idle": [],
    "fetching": ["state.safetensors.<hash>.part"],
    "training": [],
    "sending": ["update.journal", "update.safetensors"],
    "disconnected": ["update.journal", "update.safetensors"],
}


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    stage.controller.link = LinkProfile(name="slow", rate_mbps=2.0)
    stage.controller.shards = {"3": b"fine", "4": b"hang"}
    yield stage
    stage.close()


def take_to(stage: Stage, where: str) -> None:
    """Have the agent do what the word says."""
    stage.controller.until(m.Ready)
    if where == "idle":
        return
    stage.controller.accepts = False
    # A state that takes two seconds is still on its way when the agent is asked.
    state = os.urandom(500_000 if where == "fetching" else 20_000)
    stage.controller.task(state, client=4 if where == "training" else 3)
    stage.controller.until_doing("sending" if where == "disconnected" else where)
    if where == "disconnected":
        stage.controller.go_down()


@pytest.mark.parametrize("where", sorted(KEPT))
def test_an_agent_leaves_in_good_order(stage: Stage, where: str) -> None:
    agent = stage.start()
    take_to(stage, where)
    [trainer] = stage.children()
    agent.stdin.close()
    if where != "disconnected":
        assert stage.controller.until(m.Goodbye).reason == "its standard input ended"
    assert agent.wait(30) == 0
    assert ended(trainer)
    assert "Traceback" not in stage.log.read_text()
    left = [path.name for path in stage.cache.glob("agents/*/*")]
    assert sorted(_without_hash(name) for name in left) == KEPT[where]


def _without_hash(name: str) -> str:
    first, *rest = name.split(".")
    return ".".join([first, *("<hash>" if len(part) == 16 else part for part in rest)])
