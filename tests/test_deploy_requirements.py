"""pip leaves the device's torch alone, whatever that calls itself."""

from __future__ import annotations

from deploy_facts import BOARD, board

from harness.deploy.facts import Torch
from harness.deploy.requirements import identity, requirements

METADATA = (
    "msgspec>=0.19",
    "torch>=2.4; extra == 'agent'",
    "numpy>=1.26; extra == 'agent'",
    "peft>=0.18; python_version >= '3.10' and extra == 'agent'",
    "pandas>=2.2; extra == 'controller'",
)
PINNED = ("# versions", "msgspec==0.22.0", "numpy==2.4.6", "torch==2.13.0", "peft==0.21.2")


def test_jetpack_s_torch_is_held_and_never_asked_for() -> None:
    found = requirements(METADATA, PINNED, BOARD, torch_from_index=False)
    assert found.wanted.splitlines() == ["msgspec>=0.19", "numpy>=1.26", "peft>=0.18; python_version >= '3.10'"]
    assert "torch==2.5.0a0+872d972e41.nv24.08" in found.constraints.splitlines()
    assert "torch==2.13.0" not in found.constraints


def test_numpy_stays_of_the_major_version_that_torch_was_built_against() -> None:
    constraints = requirements(METADATA, PINNED, BOARD, torch_from_index=False).constraints.splitlines()
    assert "numpy>=1,<2" in constraints
    assert "numpy==2.4.6" not in constraints


def test_a_torch_from_the_index_is_asked_for_where_there_is_none() -> None:
    bare = board(torch=Torch(error="No module named 'torch'"))
    found = requirements(METADATA, PINNED, bare, torch_from_index=True)
    assert "torch>=2.4" in found.wanted.splitlines()
    assert "torch==2.13.0" in found.constraints.splitlines()


def test_a_device_s_own_torch_counts_more_than_the_index() -> None:
    assert "torch" not in requirements(METADATA, PINNED, BOARD, torch_from_index=True).wanted


def test_a_release_is_named_by_all_that_goes_into_it() -> None:
    parts = {"wheel": b"1", "constraints": b"2"}
    assert identity(parts) == identity(dict(reversed(parts.items())))
    assert (
        len({identity(parts), identity({**parts, "wheel": b"12", "constraints": b""}), identity({"wheel": b"1"})}) == 3
    )
