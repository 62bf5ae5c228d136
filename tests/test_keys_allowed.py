"""The list of allowed devices: what may be added, who changes it, and how a running controller sees it."""

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import FederaBenchError, UsageError
from harness.keys.allowed import AllowedList, WatchedList
from harness.keys.keyfile import Named

A, B = Named("a1", "A" * 40), Named("b1", "B" * 40)


@pytest.fixture
def allowed(tmp_path: Path) -> AllowedList:
    return AllowedList(tmp_path / "keys")


def test_a_device_is_allowed_once_and_revoked_by_name_or_key(allowed: AllowedList) -> None:
    assert allowed.names() == {}
    assert allowed.add(A)
    assert not allowed.add(A)
    assert allowed.add(B)
    assert allowed.names() == {A.key: "a1", B.key: "b1"}
    assert allowed.remove("a1") == A
    assert allowed.remove(B.key) == B
    assert allowed.names() == {}


def test_a_name_or_a_key_stands_there_once(allowed: AllowedList) -> None:
    allowed.add(A)
    with pytest.raises(UsageError, match=r"a1 is allowed with another key; .* federa-bench keys revoke a1"):
        allowed.add(Named("a1", B.key))
    with pytest.raises(UsageError, match=r"this key is allowed as a1; .* federa-bench keys revoke a1"):
        allowed.add(Named("b1", A.key))


@pytest.mark.parametrize("who", ["b1", B.key])
def test_who_is_not_there_cannot_be_revoked(allowed: AllowedList, who: str) -> None:
    with pytest.raises(UsageError, match=r"is not in .*allowed"):
        allowed.remove(who)
    allowed.add(A)
    with pytest.raises(UsageError, match=r"is not in .*allowed"):
        allowed.remove(who)


def test_a_damaged_list_is_not_written_over(allowed: AllowedList) -> None:
    allowed.add(A)
    allowed.path.write_text(allowed.path.read_text() + "b1 half a ke")
    before = allowed.path.read_text()
    for change in (lambda: allowed.add(B), lambda: allowed.remove("a1")):
        with pytest.raises(UsageError, match=f"{allowed.path}, line 2"):
            change()
    assert allowed.path.read_text() == before


def test_a_list_that_others_can_write_is_refused(allowed: AllowedList) -> None:
    allowed.add(A)
    allowed.path.chmod(0o664)
    with pytest.raises(UsageError, match="can be written by others, who could let anyone in"):
        allowed.names()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FederaBenchError, match="give another --keys"):
        AllowedList(tmp_path / "file").add(A)


def test_many_who_allow_at_once_lose_none(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from harness.keys.allowed import AllowedList; "
        "from harness.keys.keyfile import Named; who = sys.argv[2]; "
        "[AllowedList(Path(sys.argv[1])).add(Named(f'{who}{n}', f'{who}{n:039}')) for n in range(20)]"
    )
    children = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), who]) for who in "abc"]
    assert [child.wait(60) for child in children] == [0, 0, 0]
    assert len(AllowedList(tmp_path).names()) == 60


def test_a_running_controller_sees_each_change(allowed: AllowedList) -> None:
    watched = WatchedList(allowed)
    assert watched() == {}
    allowed.add(A)
    assert watched() == {A.key: "a1"}
    allowed.remove("a1")
    assert watched() == {}


def test_a_list_that_gets_damaged_counts_as_it_was_and_the_log_says_so_once(
    allowed: AllowedList, caplog: pytest.LogCaptureFixture
) -> None:
    allowed.add(A)
    watched = WatchedList(allowed)
    allowed.path.write_text("a1")
    with caplog.at_level(logging.ERROR):
        assert watched() == watched() == {A.key: "a1"}
    assert len(caplog.records) == 1
    assert f"{allowed.path}, line 1" in caplog.text
    with pytest.raises(UsageError, match="line 1"):
        WatchedList(allowed)
