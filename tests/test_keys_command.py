"""``federa-bench keys``: what it does and what it says to do next."""

import json
import shlex
from pathlib import Path

import pytest

from harness import cli
from harness.keys import AllowedList


def keys(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    """Run it; what it said."""
    assert cli.main(["keys", *map(str, words)]) == 0
    told = capsys.readouterr()
    assert told.err == ""
    return told.out


def refused(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    """Run it where it refuses; the sentence."""
    assert cli.main(["keys", *map(str, words)]) == 2
    told = capsys.readouterr()
    assert (told.out, len(told.err.splitlines())) == ("", 1)
    return told.err


def test_a_device_is_let_in_by_the_steps_that_each_command_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here, there = tmp_path / "controller", tmp_path / "device"
    said = keys(capsys, "new", "controller", "--keys", here)
    assert f"copy {here}/controller.public to each device, into its ~/.config/federa-bench/keys" in said
    said = keys(capsys, "new", "device-1", "--keys", there)
    assert f"copy {there}/device-1.public to the controller, and there: federa-bench keys allow device-1.public" in said
    line = shlex.split(said.splitlines()[-1])[-1]  # as a shell reads what the last line says to type
    assert line == (there / "device-1.public").read_text().strip()
    said = keys(capsys, "allow", line, "--keys", here)
    assert f"allowed device-1, in {here}/allowed" in said
    assert "next, on the device: federa-bench agent --connect" in said
    assert "was allowed before" in keys(capsys, "allow", there / "device-1.public", "--keys", here)
    said = keys(capsys, "revoke", "device-1", "--keys", here)
    assert f"revoked device-1, in {here}/allowed" in said
    assert AllowedList(here).names() == {}


def test_the_list_speaks_to_people_and_to_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "Allowed devices: none" in keys(capsys, "list", "--keys", tmp_path)
    key = "[bold]" + "#" * 34  # which is a key, and no markup
    keys(capsys, "new", "controller", "--keys", tmp_path)
    keys(capsys, "allow", f"d1 {key}", "--keys", tmp_path)
    assert key in keys(capsys, "list", "--keys", tmp_path)
    told = json.loads(keys(capsys, "list", "--keys", tmp_path, "--json"))
    assert told["allowed"] == [{"name": "d1", "key": key}]
    assert [(it["name"], it["secret"]) for it in told["keys"]] == [("controller", True)]
    assert told["folder"] == str(tmp_path)


def test_what_cannot_be_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keys(capsys, "new", "d1", "--keys", tmp_path)
    keys(capsys, "new", "controller", "--keys", tmp_path)
    at = ["--keys", str(tmp_path)]
    assert "is there already" in refused(capsys, "new", "d1", *at)
    assert "is no name for a key" in refused(capsys, "new", "../d1", *at)
    assert "there is no file nowhere.public" in refused(capsys, "allow", "nowhere.public", *at)
    assert "stays where it was made" in refused(capsys, "allow", tmp_path / "d1.secret", *at)
    assert "is what a controller's own key is called" in refused(capsys, "allow", tmp_path / "controller.public", *at)
    assert "'d1 short': not a name and a public key of 40" in refused(capsys, "allow", "d1 short", *at)
    assert "is not in" in refused(capsys, "revoke", "d9", *at)
    assert "Missing command; see: federa-bench keys --help" in refused(capsys)


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    said = keys(capsys, "--help")
    assert all(f" {command} " in said for command in ("new", "allow", "revoke", "list"))
