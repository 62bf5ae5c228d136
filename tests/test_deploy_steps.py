"""Scripts are quoted, and run whole or not at all; a plan is shown as commands that could be typed."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

from harness.deploy.steps import Allow, Revoke, Run, Send, line, remote, sending, shown, whole, write


def sh(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh"], input=script, capture_output=True, text=True, check=False)


def test_a_script_that_was_cut_off_does_nothing(tmp_path: Path) -> None:
    script = whole(line("touch", str(tmp_path / "a")) + "\n" + line("touch", str(tmp_path / "b")))
    for length in range(len(script) - len("main </dev/null\n")):
        sh(script[:length])
    assert list(tmp_path.iterdir()) == []
    assert sh(script).returncode == 0
    assert len(list(tmp_path.iterdir())) == 2


def test_the_first_command_that_fails_ends_the_script(tmp_path: Path) -> None:
    done = sh(whole(f"false\n{line('touch', str(tmp_path / 'a'))}"))
    assert done.returncode == 1
    assert list(tmp_path.iterdir()) == []


def test_a_command_cannot_swallow_the_script(tmp_path: Path) -> None:
    assert sh(whole(f"cat >/dev/null\n{line('touch', str(tmp_path / 'a'))}")).returncode == 0
    assert (tmp_path / "a").exists()


def test_text_is_written_as_it_is(tmp_path: Path) -> None:
    text = '\'; rm -rf / #\n$HOME `id` \\n %s "x"\n'
    path = tmp_path / "a b'c"
    assert sh(whole(write(str(path), text, "0640"))).returncode == 0
    assert path.read_text() == text
    assert path.stat().st_mode & 0o777 == 0o640
    assert len(list(tmp_path.iterdir())) == 1, "no part is left"


def test_root_is_asked_for_without_a_password_and_only_where_it_is_needed() -> None:
    step = Run("name", "true")
    assert remote(step, is_root=False) == ("sudo", "-n", "--", "sh")
    assert remote(step, is_root=True) == ("sh",)
    assert remote(Run("name", "true", root=False), is_root=False) == ("sh",)


def test_a_script_is_shown_as_it_runs() -> None:
    text = shown([Run("folders", "echo 'a b'")], "lab@orin-01", is_root=False)
    assert text.startswith("# 1. folders\nssh -T -- lab@orin-01 sudo -n -- sh <<'END_OF_STEP'\n")
    local = text.replace("ssh -T -- lab@orin-01 sudo -n -- sh", "sh")
    assert subprocess.run(["sh"], input=local, capture_output=True, text=True, check=True).stdout == "a b\n"


def test_files_go_to_a_folder_that_root_owns() -> None:
    words = sending(Send("send", ("/tmp/a/",), "/opt/x"), "lab@orin-01", ["ssh", "-o", "BatchMode=yes"], is_root=False)
    assert words[-3:] == ["--", "/tmp/a/", "lab@orin-01:/opt/x/"]
    assert "--rsync-path=sudo -n -- rsync" in words
    assert shlex.split(words[words.index("-e") + 1]) == ["ssh", "-o", "BatchMode=yes", "-T"]


def test_an_address_of_ipv6_is_told_from_a_path() -> None:
    assert sending(Send("send", ("/a/",), "/opt/x"), "fe80::1", ["ssh"], is_root=True)[-1] == "[fe80::1]:/opt/x/"
    assert sending(Send("send", ("/a/",), "/opt/x"), "me@fe80::1", ["ssh"], is_root=True)[-1] == "me@[fe80::1]:/opt/x/"


def test_keys_are_allowed_and_revoked_here() -> None:
    text = shown([Allow("allow", "orin-01", "/etc/x.public"), Revoke("revoke", "orin-01")], "orin-01", is_root=True)
    assert "federa-bench keys allow orin-01.public" in text
    assert "federa-bench keys revoke orin-01" in text
