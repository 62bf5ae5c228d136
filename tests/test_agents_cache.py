from pathlib import Path

import pytest
from stub_controller import blob

from agents.cache import AgentCache
from harness.errors import BlobError


def test_base_files_stand_in_a_folder_under_their_own_names(tmp_path: Path) -> None:
    cache, weights = AgentCache(tmp_path, "a1"), blob("model.safetensors", b"weights")
    cache.blobs.path(weights.sha256).write_bytes(b"weights")
    cache.base_folder([])
    folder = cache.base_folder([weights])
    assert [path.name for path in folder.iterdir()] == ["model.safetensors"]
    assert (folder / "model.safetensors").read_bytes() == b"weights"


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/b", "..", ""])
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BlobError, match="not a plain file name"):
        AgentCache(tmp_path, "a1").base_folder([blob(name, b"x")])


def test_what_was_under_way_is_gone_at_the_next_start_and_blobs_stay(tmp_path: Path) -> None:
    first = AgentCache(tmp_path, "a1")
    first.state.write_bytes(b"old")
    first.blobs.path("0" * 64).write_bytes(b"blob")
    second = AgentCache(tmp_path, "a1")
    assert not second.state.exists()
    assert second.blobs.path("0" * 64).exists()
