"""A device that cannot be set up is left alone, with one sentence that says what to do."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from deploy_facts import BOARD, CONTROLLER, OTHER_KEY, WISH, board

from harness.deploy.facts import Installed, Torch
from harness.deploy.places import CONTROLLER_KEY
from harness.deploy.refusals import fingerprint, refuse, refuse_removal
from harness.errors import DeployError

TRUSTS_ANOTHER = Installed(keys={CONTROLLER_KEY: f"controller {OTHER_KEY}"})


def test_a_board_as_jetpack_makes_it_is_taken() -> None:
    refuse(WISH, BOARD, CONTROLLER)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"sudo": "sudo: a password is required"}, "lab may not become root without a password"),
        ({"python_version": (3, 8, 10)}, "is Python 3.8.10, and 3.10 is the oldest that works"),
        ({"venv": False}, "sudo apt-get install python3-venv"),
        ({"booted": False}, "systemd does not run there"),
        ({"systemd": 237}, "its systemd 237 is older than 245"),
        ({"rsync": False}, "sudo apt-get install rsync"),
        ({"torch": Torch(error="No module named 'torch'")}, "install NVIDIA's build for its JetPack"),
        ({"free_bytes": 9 * 10**8}, "/opt has 0.9 GB free, and 1.1 GB are needed"),
        ({"installed": Installed(name="orin-07")}, "the agent orin-07 is deployed there, not orin-01"),
        ({"installed": TRUSTS_ANOTHER}, "it trusts a controller with the key SHA256:"),
    ],
)
def test_what_stands_in_the_way_is_said(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(DeployError) as caught:
        refuse(WISH, board(**changes), CONTROLLER)
    assert str(caught.value).startswith("lab@orin-01: ")
    assert sentence in str(caught.value)


def test_another_controller_is_trusted_only_if_that_is_meant() -> None:
    meant = msgspec.structs.replace(WISH, new_controller_key=True)
    refuse(meant, board(installed=TRUSTS_ANOTHER), CONTROLLER)


def test_a_first_deployment_needs_the_controller_s_address() -> None:
    with pytest.raises(DeployError, match="give --controller tcp://HOST:PORT"):
        refuse(msgspec.structs.replace(WISH, connect=None), BOARD, CONTROLLER)


def test_a_device_without_torch_is_taken_where_pip_may_install_one() -> None:
    refuse(msgspec.structs.replace(WISH, torch_from_index=True), board(torch=Torch(error="none")), CONTROLLER)


def test_what_a_device_calls_itself_revokes_nobody() -> None:
    with pytest.raises(DeployError, match="say --name orin-07"):
        refuse_removal(WISH, board(installed=Installed(name="orin-07")))


def test_a_fingerprint_is_as_long_as_ssh_s_and_differs_with_the_key() -> None:
    assert len(fingerprint("a" * 40)) == len("SHA256:") + 43
    assert fingerprint("a" * 40) != fingerprint("b" * 40)
