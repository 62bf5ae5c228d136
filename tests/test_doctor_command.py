"""``federa-bench doctor``: its lines, its JSON, its exit codes."""

import io
import json
from pathlib import Path

import pytest
from made_board import MadeBoard, waves
from rich.console import Console

from harness.doctor.findings import fail, ok, skipped, warn
from harness.doctor_command import document, main, show
from harness.keys import make_pair

KEYS = {"schema", "role", "host", "worst", "took_s", "findings"}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    MadeBoard(tmp_path / "tree").show(waves)
    for name in ("controller", "orin-01"):
        make_pair(tmp_path / "keys", name)
    return tmp_path / "tree"


def doctor(tree: Path, *words: str) -> int:
    return main(
        [
            "--sys-root",
            str(tree),
            "--keys",
            str(tree.parent / "keys"),
            "--folder",
            str(tree),
            "--patience",
            "60",
            *words,
        ]
    )


def test_json_has_a_stable_shape(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = doctor(tree, "--json", "--role", "agent")
    said = json.loads(capsys.readouterr().out)
    assert set(said) == KEYS
    assert (said["schema"], said["role"]) == (1, "agent")
    assert all(set(row) == {"name", "state", "says", "do", "values"} for row in said["findings"])
    assert code == (1 if said["worst"] == "fail" else 0)


def test_a_line_that_fails_makes_the_exit_code(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tree.parent / "keys" / "orin-01.secret").chmod(0o644)
    assert doctor(tree, "--json", "--role", "agent") == 1
    assert json.loads(capsys.readouterr().out)["worst"] == "fail"


def test_the_machine_with_the_controller_s_key_is_a_controller(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    doctor(tree, "--json")
    assert json.loads(capsys.readouterr().out)["role"] == "controller"
    doctor(tree, "--json", "--connect", "tcp://127.0.0.1:9")
    assert json.loads(capsys.readouterr().out)["role"] == "agent"


def test_versions_are_compared_with_another_machine_s(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    doctor(tree, "--json")
    other = tree.parent / "other.json"
    other.write_text(capsys.readouterr().out)
    doctor(tree, "--json", "--beside", str(other))
    assert json.loads(capsys.readouterr().out)["findings"][-1]["state"] == "ok"


def test_bad_usage_is_one_sentence(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor(tree, "--connect", "orin-01") == 2
    assert doctor(tree, "--beside", str(tree / "nothing.json")) == 2
    said = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[0] for line in said] == ["federa-bench doctor"] * 2


def test_lines_fit_a_terminal_of_80_columns() -> None:
    console = Console(width=80, file=io.StringIO())
    lines = [
        ok("python", "3.10.12"),
        warn("clocks", "CPU 0.12 to 2.20 GHz, GPU 0.31 to 1.30 GHz: they move with the load", "sudo jetson_clocks"),
        fail("keys", "[bold]a name in brackets[/bold] " + "and so on " * 20, "make one"),
        skipped("wi-fi", "none here"),
    ]
    show(console, "agent", lines, 1.25)
    text = console.file.getvalue()
    shown = text.splitlines()
    assert max(map(len, shown)) <= 80
    assert "[bold]a name in brackets[/bold]" in text
    assert "-> sudo jetson_clocks" in text
    assert shown[-1] == "1 ok, 1 warn, 1 fail, 1 skipped; in 1.2 s"


def test_a_document_names_its_worst_line() -> None:
    assert document("agent", [ok("a", ""), warn("b", "", "")], 0.12345)["worst"] == "warn"
    assert document("agent", [], 0.12345)["took_s"] == 0.123
