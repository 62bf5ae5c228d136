import subprocess
import sys
from pathlib import Path

import pytest
from stub_controller import blob

from agents.cache import AgentCache
from harness.errors import BlobError, UsageError

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


KILLED = """
import os, pathlib, sys
from agents.cache import AgentCache
cache = AgentCache(pathlib.Path(sys.argv[1]), "a1", sys.argv[2])
cache.state.write_bytes(b"old")
cache.blobs.path("0" * 64).write_bytes(b"blob")
os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("name", ["a1", "a2"])
def test_what_a_killed_agent_left_is_gone_at_the_next_start_and_blobs_stay(tmp_path: Path, name: str) -> None:
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), HERE], check=False)
    (left,) = tmp_path.glob("agents/*/state.safetensors")
    cache = AgentCache(tmp_path, name, HERE)
    assert not left.exists()
    assert cache.blobs.path("0" * 64).exists()
    cache.close()
    assert list((tmp_path / "agents").iterdir()) == []


def test_two_agents_of_one_name_do_not_share_a_folder(tmp_path: Path) -> None:
    first = AgentCache(tmp_path, "a1", HERE)
    with pytest.raises(UsageError, match=f"an agent named a1 already works for {HERE} .* another --name"):
        AgentCache(tmp_path, "a1", HERE)
    elsewhere = AgentCache(tmp_path, "a1", "tcp://other:1")
    first.state.write_bytes(b"mine")
    elsewhere.clear()
    assert first.state.read_bytes() == b"mine"
    first.close()
    AgentCache(tmp_path, "a1", HERE).close()
    elsewhere.close()
