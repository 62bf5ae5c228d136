"""The plan of a deployment follows from what is found on the device: as few steps as are needed."""

from __future__ import annotations

from dataclasses import replace

import msgspec
from deploy_facts import BOARD, CONTROLLER, OTHER_KEY, PARCEL, TEXTS, WISH, board

from harness.deploy.facts import Facts, Installed
from harness.deploy.places import CONTROLLER_KEY, ENVIRONMENT, MANIFEST
from harness.deploy.plan import Plan, deployment, manifest, sha256
from harness.deploy.steps import Run

ALLOWED = {OTHER_KEY: "orin-01"}


def deployed() -> Facts:
    """The board after a deployment of the parcel."""
    texts = {**TEXTS, CONTROLLER_KEY: f"{CONTROLLER.line}\n"}
    texts[MANIFEST] = manifest(WISH, PARCEL, texts)
    installed = Installed(
        release=PARCEL.release,
        complete=(PARCEL.release,),
        name="orin-01",
        files={path: sha256(text) for path, text in texts.items()},
        keys={"/etc/federa-bench/keys/orin-01.public": f"orin-01 {OTHER_KEY}"},
        places=("/opt/federa-bench",),
    )
    return board(agent_user=True, installed=installed)


def names(plan: Plan) -> list[str]:
    return [step.name for step in plan.steps]


def script(plan: Plan, name: str) -> str:
    return next(step.script for step in plan.steps if isinstance(step, Run) and step.name == name)


def test_a_bare_device_gets_everything_in_order() -> None:
    plan = deployment(WISH, BOARD, PARCEL, CONTROLLER, {})
    assert names(plan) == [
        "folders", "user", "send", "packages", "check", "keys", "allow", "start", "ready", "tidy",
    ]  # fmt: skip
    assert plan.undo is None, "there is nothing to go back to"


def test_a_device_that_is_as_it_should_be_is_left_running() -> None:
    plan = deployment(WISH, deployed(), PARCEL, CONTROLLER, ALLOWED)
    assert names(plan) == ["start", "ready"]
    assert "restart" not in script(plan, "start")


def test_an_upgrade_keeps_the_key_and_can_go_back() -> None:
    plan = deployment(WISH, deployed(), replace(PARCEL, release="bbbbbbbbbbbb"), CONTROLLER, ALLOWED)
    assert names(plan) == ["folders", "send", "packages", "check", "start", "ready", "tidy"]
    assert "systemctl restart" in script(plan, "start")
    assert plan.undo is not None
    assert "/opt/federa-bench/releases/aaaaaaaaaaaa" in plan.undo.script


def test_going_back_to_a_release_that_is_still_there_sends_nothing() -> None:
    facts = deployed()
    parcel = replace(PARCEL, release="bbbbbbbbbbbb")
    both = msgspec.structs.replace(facts.installed, complete=(PARCEL.release, parcel.release))
    facts = msgspec.structs.replace(facts, installed=both)
    assert "send" not in names(deployment(WISH, facts, parcel, CONTROLLER, ALLOWED))


def test_another_address_writes_its_file_and_starts_anew() -> None:
    parcel = replace(PARCEL, texts={**TEXTS, ENVIRONMENT: "FEDERA_BENCH_CONNECT=y\n"})
    plan = deployment(WISH, deployed(), parcel, CONTROLLER, ALLOWED)
    assert names(plan) == ["folders", "start", "ready", "tidy"]
    assert "CONNECT=y" in script(plan, "start")
    assert "systemctl restart" in script(plan, "start")


def test_a_device_that_was_revoked_is_allowed_again() -> None:
    assert names(deployment(WISH, deployed(), PARCEL, CONTROLLER, {})) == ["allow", "start", "ready"]


def test_a_new_key_is_its_user_s_where_systemd_hands_over_no_credentials() -> None:
    old, new = (deployment(WISH, board(systemd=it), PARCEL, CONTROLLER, {}) for it in (245, 249))
    assert "chown federa-bench " in script(old, "keys")
    assert "chown root " in script(new, "keys")


def test_no_tc_no_shaper() -> None:
    with_tc, without = (deployment(WISH, board(tc=it), PARCEL, CONTROLLER, {}) for it in (True, False))
    assert "enable federa-bench-shaper.service" in script(with_tc, "start")
    assert "enable federa-bench-shaper.service" not in script(without, "start")
