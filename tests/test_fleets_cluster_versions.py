"""Nodes whose packages would learn other bits are refused."""

from __future__ import annotations

import msgspec
import pytest

from harness.errors import TrainerError, UsageError
from harness.fleets.cluster_ray import Node
from harness.fleets.cluster_versions import check_versions, versions
from harness.fleets.cluster_wire import packed

HERE, THERE = Node("1", "10.0.0.1", 4), Node("2", "10.0.0.2", 4)


def test_nodes_with_the_same_are_fit() -> None:
    check_versions({HERE: packed(versions()), THERE: packed(versions())})


def test_another_version_is_named_with_its_node() -> None:
    other = msgspec.structs.replace(versions(), packages={**versions().packages, "torch": "2.4.0"})
    with pytest.raises(UsageError, match=r"node 10\.0\.0\.2 of the Ray cluster has torch 2\.4\.0, and this machine"):
        check_versions({HERE: packed(versions()), THERE: packed(other)})


def test_other_source_is_named() -> None:
    other = msgspec.structs.replace(versions(), sources="0" * 12)
    with pytest.raises(UsageError, match="other source files of federa-bench"):
        check_versions({THERE: packed(other)})


def test_a_node_without_the_package_says_how_to_mend_it() -> None:
    with pytest.raises(UsageError, match=r"cannot run federa-bench \(No module named 'harness'\); install"):
        check_versions({THERE: TrainerError("No module named 'harness'")})
