"""The controller's files on nodes: put once, once on each node, and forgotten together."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster_stage import Played

from harness.fleets.cluster_goods import Goods
from harness.fleets.cluster_holder import Holder


class Stage:
    """Two nodes and a file."""

    def __init__(self, folder: Path) -> None:
        self.cluster = Played(folder, a=1, b=1)
        self.holders = {node: self.cluster.start(Holder, node, 0) for node in ("a", "b")}
        self.goods = Goods(self.cluster, self.holders)  # type: ignore[arg-type]
        self.file = str(folder / "file")
        Path(self.file).write_bytes(b"state")

    def close(self) -> None:
        for holder in self.holders.values():
            holder.inner.clear()

    @property
    def held(self) -> list[str | None]:
        """The nodes that were asked to hold a file."""
        return [node for node, call in self.cluster.calls if call == "hold"]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    found = Stage(tmp_path)
    yield found
    found.close()


def test_a_file_is_put_once_and_materialised_once_on_each_node(stage: Stage) -> None:
    places = [stage.goods.on(node, stage.file) for node in ("a", "b", "a", "b")]
    assert [Path(place).read_bytes() for place in places] == [b"state"] * 4
    assert len(set(places)) == 2
    assert stage.cluster.put_bytes == [b"state"]
    assert stage.held == ["a", "b"]


def test_a_file_that_was_written_anew_is_another(stage: Stage) -> None:
    before = stage.goods.on("a", stage.file)
    Path(stage.file).write_bytes(b"state 2")
    assert Path(stage.goods.on("a", stage.file)).read_bytes() == b"state 2"
    assert Path(before).read_bytes() == b"state"


def test_what_is_forgotten_is_gone_from_the_nodes_and_the_rest_is_not(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "shard").write_bytes(b"shard")
    shard, state = stage.goods.on("a", str(tmp_path / "shard")), stage.goods.on("a", stage.file)
    stage.goods.forget(but={str(tmp_path / "shard")})
    assert Path(shard).exists()
    assert not Path(state).exists()
    assert Path(stage.goods.on("a", stage.file)).read_bytes() == b"state"


def test_a_node_that_is_gone_is_not_asked_to_forget(stage: Stage) -> None:
    stage.goods.on("b", stage.file)
    stage.goods.lost("b")
    stage.goods.forget(but=())
    assert ("b", "forget") not in stage.cluster.calls
