"""The commands of docs/retime.md do what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import run_folders
import timed_runs
from timed_runs import timed_run

from analysis.retime.cli import main
from harness.library import load_part
from harness.profiles import LinkProfile

PAGE = Path(__file__).parent.parent / "docs" / "retime.md"
START = "    federa-bench retime "
COMMANDS = [
    line.removeprefix(START) for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith(START)
]


def test_it_has_commands() -> None:
    assert len(COMMANDS) == 4


def test_its_example_is_a_link(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "my-lte.yaml").write_text(example, encoding="utf-8")
    link = load_part(LinkProfile, str(tmp_path / "my-lte.yaml"))
    assert link.up is not None
    assert (link.rate_mbps, link.up.rate_mbps) == (12, 4)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_works(command: str, tmp_path: Path) -> None:
    of = timed_runs.experiment(model={"timed_as": None})
    for method in ("fedft", "federa"):
        run = timed_run(method, of=of)
        run_folders.write(tmp_path / "runs" / run.header.run_id, run)
    options = command.replace("runs/", str(tmp_path / "runs")).replace("--out ", f"--out {tmp_path}/").split()
    assert main(options) == 0
    assert len(list(tmp_path.rglob("*.html"))) == 1
