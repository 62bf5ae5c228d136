"""Key files: made with the right mode from the start, and refused where others may have read them."""

import os
import stat
from pathlib import Path

import pytest

from harness.errors import FederaBenchError, UsageError
from harness.keys.folder import expanded, make_pair, read_public, read_secret, write_secret
from harness.transport import new_pair


def test_a_pair_is_made_and_read_again(tmp_path: Path) -> None:
    public = make_pair(tmp_path / "keys", "device-1")
    name, pair = read_secret(tmp_path / "keys" / "device-1.secret")
    assert (name, pair.public) == ("device-1", public.key)
    assert read_public(tmp_path / "keys" / "device-1.public") == public
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700


def test_a_home_folder_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(UsageError, match=r"^~nobody-of-this-name/keys cannot be found, for there is no such home;"):
        expanded(Path("~nobody-of-this-name/keys"))
    assert expanded(Path("/keys")) == Path("/keys")


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_a_secret_is_its_owner_s_alone_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        make_pair(tmp_path, "a1")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a1.secret").stat().st_mode) == 0o600


def test_a_key_is_never_written_over(tmp_path: Path) -> None:
    make_pair(tmp_path, "a1")
    before = (tmp_path / "a1.secret").read_bytes()
    with pytest.raises(UsageError, match="is there already; to replace it, move it away"):
        make_pair(tmp_path, "a1")
    assert (tmp_path / "a1.secret").read_bytes() == before


def test_a_secret_is_not_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "a1.secret").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError):
        write_secret(tmp_path / "a1.secret", "a1", new_pair())
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_secret_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    make_pair(tmp_path, "a1")
    (tmp_path / "a1.secret").chmod(mode)
    with pytest.raises(UsageError, match=rf"a1.secret can be read by others \(mode 0{mode:o}\).*chmod 600"):
        read_secret(tmp_path / "a1.secret")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file to another user")
def test_a_secret_of_another_user_is_refused(tmp_path: Path) -> None:
    make_pair(tmp_path, "a1")
    os.chown(tmp_path / "a1.secret", 12345, -1)
    with pytest.raises(UsageError, match="belongs to another user"):
        read_secret(tmp_path / "a1.secret")


def test_a_credential_of_systemd_is_fine(tmp_path: Path) -> None:
    make_pair(tmp_path, "a1")
    service = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    for mode in (0o400, 0o440):  # the group's bits show the access-control list by which a service reads it
        (tmp_path / "a1.secret").chmod(mode)
        assert read_secret(tmp_path / "a1.secret", service)[0] == "a1"
    (tmp_path / "a1.secret").chmod(0o444)
    with pytest.raises(UsageError, match="can be read by others"):
        read_secret(tmp_path / "a1.secret", service)


def test_what_is_no_secret_is_refused_and_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere.secret cannot be read: No such file"):
        read_secret(tmp_path / "nowhere.secret")
    path = tmp_path / "a1.secret"
    for content in (b"secret a1 " + b"#" * 40, b"\xff\xfe", b""):
        path.write_bytes(content)
        path.chmod(0o600)
        with pytest.raises(UsageError, match=r"a1\.secret"):
            read_secret(path)


def test_a_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FederaBenchError, match="give another --keys"):
        make_pair(tmp_path / "file", "a1")
