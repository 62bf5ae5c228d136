"""Devices that lie, shout, never end or paint on the terminal, and words that mean something to shells."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from harness.deploy import inventory
from harness.deploy.asking import script
from harness.deploy.facts import MARK, read
from harness.deploy.fleet import summary, visit_all
from harness.deploy.office import Office
from harness.deploy.shell import MOST_BYTES
from harness.deploy.steps import line, whole, write
from harness.deploy.visit import Outcome, deploy
from harness.deploy.wish import Wish, checked
from harness.errors import DeployError, UsageError
from harness.keys import make_pair

WISH = Wish(host="orin-01", name="orin-01", connect="tcp://10.0.0.1:5555")
FAKE_SSH = """#!/bin/sh
case "$*" in *' true'|*'-O exit'*) exit 0;; esac
{answer}
"""


def with_ssh(folder: Path, answer: str, code: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run code where ssh is a program that answers as it likes."""
    place = folder / "bin"
    place.mkdir()
    (place / "ssh").write_text(FAKE_SSH.format(answer=answer))
    (place / "ssh").chmod(0o755)
    environment = {**os.environ, "PATH": f"{place}:{os.environ['PATH']}", **more}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)


ASK = """
from harness.deploy.shell import Connection
from harness.errors import DeployError
with Connection("orin-01") as connection:
    try:
        print(len(connection.ask(["cat"], "x" * 1_000_000, {limit_s})))
    except DeployError as error:
        print(error)
"""


def test_a_device_that_says_too_much_is_cut_off(tmp_path: Path) -> None:
    done = with_ssh(tmp_path, "exec yes", ASK.format(limit_s=60))
    assert done.stdout == f"orin-01: it says more than {MOST_BYTES >> 20} MiB to one command; see that it is well\n"


def test_a_device_that_never_ends_is_given_up(tmp_path: Path) -> None:
    done = with_ssh(tmp_path, "exec 2>&1; echo begun; exec sleep 1000", ASK.format(limit_s=0.5))
    assert "no answer within" in done.stdout


def test_a_device_that_reads_nothing_and_one_that_reads_late_are_waited_for(tmp_path: Path) -> None:
    done = with_ssh(tmp_path, "head -c 100000 /dev/zero | tr '\\0' x; wc -c", ASK.format(limit_s=60))
    assert done.stdout.startswith(str(100_000 + len("1000000\n")))


@pytest.mark.skipif(shutil.which("ssh") is None, reason="ssh is not installed here")
def test_a_folder_for_temporary_files_may_have_blanks_and_percents(tmp_path: Path) -> None:
    odd = tmp_path / "a b%h"
    odd.mkdir()
    config = tmp_path / "the config"
    config.write_text("Host orin-01\n HostName 127.0.0.1\n Port 1\n")
    code = f"""
from pathlib import Path
from harness.deploy.shell import Connection
Connection("orin-01", Path({str(config)!r})).__enter__()
"""
    environment = {**os.environ, "TMPDIR": str(odd)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert "nothing listens for ssh there" in done.stderr


def facts_here() -> dict[str, object]:
    done = subprocess.run([sys.executable, "-B", "-"], input=script(), capture_output=True, text=True, check=True)
    return msgspec.json.decode(done.stdout.rpartition(MARK)[2], type=dict[str, object])


def test_lies_that_could_stand_in_a_path_or_a_command_are_no_facts() -> None:
    honest = facts_here()
    for lie in (
        {"prefix": "/usr\0"},
        {"python": "/usr/bin/python3\nrm -rf /"},
        {"torch": {"version": "2.0\n-r /etc/shadow"}},
        {"installed": {"release": "\x1b[2J"}},
        {"installed": {"keys": {"/etc\n": ""}}},
    ):
        with pytest.raises(DeployError, match=r"orin-01: what was found there cannot be read"):
            read(MARK + msgspec.json.encode(honest | lie).decode(), "orin-01")
    nested = MARK + '{"unknown": ' + "[" * 100_000
    with pytest.raises(DeployError, match=r"orin-01: what was found there cannot be read"):
        read(nested, "orin-01")


def test_what_a_device_says_does_not_paint_on_the_terminal() -> None:
    out = io.StringIO()
    says = "orin-01: it failed: \x1b[2J\x1b]0;owned\x07[red]"
    console = Console(file=out, width=120)
    outcomes = [Outcome(name, name, False, says, 1.0, "a\n\x1b[31mb\r\n") for name in ("orin-01", "orin-02")]
    summary(console, outcomes)
    summary(console, outcomes[:1])
    assert {mark for mark in out.getvalue() if not mark.isprintable()} == {"\n"}
    assert "[red]" in out.getvalue()


def test_a_trouble_that_nobody_thought_of_stops_no_other_device(tmp_path: Path) -> None:
    make_pair(tmp_path, "controller")
    wishes = [msgspec.structs.replace(WISH, host=name, name=name) for name in ("orin-01", "orin-02")]
    office = Office(tmp_path, Path("/tmp/\0"))  # no program can be given such a path
    outcomes = visit_all(wishes, lambda wish, note: deploy(wish, office, note), Console(file=io.StringIO()), jobs=2)
    assert [(outcome.done, outcome.exit_code) for outcome in outcomes] == [(False, 1), (False, 1)]


@pytest.mark.parametrize("second", ["lab@orin-01", "ORIN-01", "root@Orin-01"])
def test_one_device_by_two_logins_is_one_device(tmp_path: Path, second: str) -> None:
    path = tmp_path / "devices.yaml"
    path.write_text(f"devices:\n- host: orin-01\n- host: {second}\n  name: another\n")
    with pytest.raises(UsageError, match="the host orin-01 stands there twice"):
        inventory.read(path)


@pytest.mark.parametrize(
    "wrong",
    [
        {"host": "-oProxyCommand=touch /tmp/owned"},
        {"host": "lab@-oProxyCommand"},
        {"host": "orin-01; reboot"},
        {"host": "orin-01\n"},
        {"name": "../../etc"},
        {"name": "a b"},
        {"name": "orin\n"},
        {"connect": "tcp://h:1\nX"},
        {"options": "--name $(reboot)"},
        {"options": 'a" b'},
        {"options": "a\nb"},
        {"python": "-c"},
        {"python": "python3; reboot"},
    ],
)
def test_words_that_mean_something_to_shells_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        checked(msgspec.structs.replace(WISH, **wrong))


def test_a_script_writes_every_text_as_it_is(tmp_path: Path) -> None:
    text = 'it\'s "$HOME" `id` \\n %s\n$(reboot)\n'
    path = tmp_path / "a 'b' $c\nd"
    subprocess.run(["sh"], input=whole(write(str(path), text)), text=True, check=True)
    assert path.read_text() == text
    assert line("a b", "$c") == "'a b' '$c'"
