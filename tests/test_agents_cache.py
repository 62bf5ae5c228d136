import subprocess
import sys
import threading
from pathlib import Path

import pytest
from stub_controller import blob

from agents.cache import AgentCache
from harness.blobs import partial_of
from harness.errors import BlobError, UsageError
from harness.protocol.messages import Received

HERE = "tcp://192.168.1.10:5555"


@pytest.fixture
def cache(tmp_path: Path):
    made = AgentCache(tmp_path, "a1", HERE)
    yield made
    made.close()


def test_base_files_stand_in_a_folder_under_their_own_names(cache: AgentCache) -> None:
    weights = blob("model.safetensors", b"weights")
    cache.blobs.path(weights.sha256).write_bytes(b"weights")
    cache.base_folder([])
    folder = cache.base_folder([weights])
    assert [path.name for path in folder.iterdir()] == ["model.safetensors"]
    assert (folder / "model.safetensors").read_bytes() == b"weights"


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/b", "..", ""])
def test_a_name_that_leads_elsewhere_is_refused(cache: AgentCache, name: str) -> None:
    with pytest.raises(BlobError, match="not a plain file name"):
        cache.base_folder([blob(name, b"x")])


def test_of_blobs_in_part_one_of_each_is_kept_and_none_that_is_on_its_way_is_touched(tmp_path: Path) -> None:
    ref, killed = blob("w", b"weights"), tmp_path / "blobs"
    AgentCache(tmp_path, "a1", HERE).close()
    (killed / f"{ref.sha256}.77-1.part").write_bytes(b"wei")
    (killed / f"{ref.sha256}.part").write_bytes(b"wei")
    with_it = AgentCache(tmp_path, "a1", HERE)
    assert [path.name for path in killed.iterdir()] == [f"{ref.sha256}.part"]
    landings = [with_it.blobs.land(ref) for _ in range(2)]
    AgentCache(tmp_path, "a2", HERE).close()
    for landing in landings:
        landing.arrived(0, b"weights")
        assert isinstance(landing.finish(), Received)
    assert [path.name for path in killed.iterdir()] == [ref.sha256]
    with_it.close()


def test_a_folder_that_is_held_for_a_moment_is_waited_for(tmp_path: Path) -> None:
    """As one is while another agent starts up, and sweeps."""
    sweeper = AgentCache(tmp_path, "a1", HERE)
    done = threading.Timer(0.1, sweeper.close)
    done.start()
    AgentCache(tmp_path, "a1", HERE).close()
    done.join()


KILLED = """
import os, pathlib, sys
from agents.cache import AgentCache
cache = AgentCache(pathlib.Path(sys.argv[1]), "a1", sys.argv[2])
for path in (cache.init, cache.log, cache.update, cache.state, cache.base_folder([]) / "weights"):
    path.write_bytes(b"old")
cache.blobs.path("0" * 64).write_bytes(b"blob")
if sys.argv[3]:
    cache.update.with_suffix(".journal").write_bytes(b"journal")
    cache.state.with_suffix(".safetensors.22.part").write_bytes(b"half")
os.kill(os.getpid(), 9)
"""
KEPT = ["state.safetensors.22.part", "update.journal", "update.safetensors"]


def kill_one(root: Path, keeps: str = "", endpoint: str = HERE) -> Path:
    """Have an agent a1 die in the middle of things; returns its folder."""
    subprocess.run([sys.executable, "-c", KILLED, str(root), endpoint, keeps], check=False)
    (log,) = root.glob("agents/*/trainer.log")
    return log.parent


def folders(root: Path) -> list[Path]:
    return [path for path in (root / "agents").iterdir() if path.is_dir()]


@pytest.mark.parametrize("name", ["a1", "a2"])
def test_what_a_killed_agent_left_is_gone_at_the_next_start_and_blobs_stay(tmp_path: Path, name: str) -> None:
    left = kill_one(tmp_path)
    cache = AgentCache(tmp_path, name, HERE)
    assert list(left.iterdir() if left.exists() else []) == []
    assert cache.blobs.path("0" * 64).exists()
    cache.close()
    assert list((tmp_path / "agents").iterdir()) == []


@pytest.mark.parametrize(("name", "endpoint"), [("a1", HERE), ("a1", "tcp://elsewhere:1"), ("a2", HERE)])
def test_a_finished_update_and_half_a_state_wait_for_their_agent(tmp_path: Path, name: str, endpoint: str) -> None:
    kill_one(tmp_path, "keeps")
    for _ in range(2):
        AgentCache(tmp_path, name, endpoint).close()
    cache = AgentCache(tmp_path, "a1", endpoint)
    assert sorted(path.name for path in cache.update.parent.iterdir()) == KEPT
    cache.close()
    assert len(folders(tmp_path)) == 1


def test_of_two_that_wait_only_one_is_kept(tmp_path: Path) -> None:
    kill_one(tmp_path, "keeps")
    AgentCache(tmp_path, "a2", HERE).close()
    kill_one(tmp_path, "keeps", "tcp://elsewhere:1")
    AgentCache(tmp_path, "a1", HERE).close()
    assert len(folders(tmp_path)) == 1


def test_a_cleared_task_leaves_nothing(tmp_path: Path) -> None:
    kill_one(tmp_path, "keeps")
    cache = AgentCache(tmp_path, "a1", HERE)
    cache.update.with_name(f".{cache.update.name}.part").write_bytes(b"half")
    cache.clear_task()
    assert list(cache.update.parent.iterdir()) == []
    cache.close()
    assert list((tmp_path / "agents").iterdir()) == []


def test_only_half_of_the_same_state_is_taken_up(cache: AgentCache) -> None:
    state = blob("state", b"state")
    partial, other = (partial_of(one, cache.state) for one in (state, blob("state", b"other")))
    for path, data in ((partial, b"st"), (cache.state, b"state"), (other, b"x")):
        path.write_bytes(data)
    assert cache.room_for_state(state) == cache.state
    assert [path.exists() for path in (partial, cache.state, other)] == [True, False, False]
    partial.write_bytes(b"state")
    cache.room_for_state(state)
    assert not partial.exists()


def test_two_agents_of_one_name_do_not_share_a_folder(tmp_path: Path) -> None:
    first = AgentCache(tmp_path, "a1", HERE)
    with pytest.raises(UsageError, match=f"an agent named a1 already works for {HERE} .* another --name"):
        AgentCache(tmp_path, "a1", HERE)
    first.update.write_bytes(b"mine")
    elsewhere = AgentCache(tmp_path, "a1", "tcp://other:1")
    elsewhere.clear_task()
    assert first.update.read_bytes() == b"mine"
    first.close()
    AgentCache(tmp_path, "a1", HERE).close()
    elsewhere.close()
