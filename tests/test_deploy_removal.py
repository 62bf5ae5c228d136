"""What taking an agent away does, and what it says is left."""

from __future__ import annotations

from deploy_facts import BOARD, OTHER_KEY, board

from harness.deploy.facts import Installed
from harness.deploy.places import STATE, WHOLE
from harness.deploy.removal import left, removal
from harness.deploy.steps import Run

THERE = board(agent_user=True, installed=Installed(places=("/opt/federa-bench",)))


def script(keep_cache: bool) -> str:
    steps = removal("orin-01", THERE, {}, keep_cache=keep_cache)
    return next(step.script for step in steps if isinstance(step, Run) and step.name == "remove")


def test_the_key_is_revoked_before_anything_else() -> None:
    steps = removal("orin-01", THERE, {OTHER_KEY: "orin-01"}, keep_cache=False)
    assert [step.name for step in steps] == ["revoke", "stop", "remove", "look again"]


def test_everything_goes() -> None:
    assert all(path in script(keep_cache=False) for path in WHOLE)
    assert "userdel federa-bench" in script(keep_cache=False)


def test_a_kept_cache_keeps_its_user() -> None:
    removed = script(keep_cache=True)
    assert STATE not in removed.split()
    assert "userdel" not in removed
    assert [it.partition(" ")[0] for it in left(THERE, keep_cache=True)] == [
        STATE,
        "/etc/sysusers.d/federa-bench.conf",
        "its",
    ]


def test_on_a_bare_device_nothing_is_done() -> None:
    assert removal("orin-01", BOARD, {}, keep_cache=False) == ()


def test_a_device_that_was_wiped_is_still_revoked() -> None:
    assert [step.name for step in removal("orin-01", BOARD, {OTHER_KEY: "orin-01"}, keep_cache=False)] == ["revoke"]
