"""The controller's end: whose keys are let in, and whose are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.deploy.office import Office
from harness.errors import UsageError
from harness.keys import make_pair

KEY = "k" * 40


def test_a_device_s_key_is_allowed_and_revoked(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.allow("orin-01", f"orin-01 {KEY}\n", "a file of orin-01")
    assert office.allowed() == {KEY: "orin-01"}
    office.revoke("orin-01")
    assert office.allowed() == {}


def test_a_device_gets_in_by_no_other_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds the key of orin-02, and orin-01 was deployed"):
        Office(tmp_path).allow("orin-01", f"orin-02 {KEY}\n", "a file of orin-01")
    assert not (tmp_path / "allowed").exists()


def test_a_secret_that_came_along_is_refused_and_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        Office(tmp_path).allow("orin-01", f"secret orin-01 {KEY}\n", "a file")
    assert KEY not in str(caught.value)


def test_a_board_with_a_new_key_replaces_no_old_one_in_silence(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.allow("orin-01", f"orin-01 {KEY}", "a file")
    with pytest.raises(UsageError, match="federa-bench keys revoke orin-01"):
        office.allow("orin-01", f"orin-01 {'n' * 40}", "a file")


def test_a_controller_without_a_key_is_told_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="federa-bench keys new controller"):
        Office(tmp_path).controller()
    made = make_pair(tmp_path, "controller")
    assert Office(tmp_path).controller() == made
