from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from harness import environment


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(["git", *identity, "-C", str(folder), *arguments], check=True, capture_output=True)


def test_a_description_is_json_and_complete() -> None:
    described = msgspec.json.decode(msgspec.json.encode(environment.describe()))
    assert described["cores"] >= 1
    assert described["memory_bytes"] > 2**20
    assert described["load_average_1m"] >= 0
    assert described["python"].startswith("3.")
    assert all(described["packages"][name] for name in ("torch", "transformers", "peft", "pyzmq"))


def test_describing_imports_no_torch() -> None:
    code = "import sys; from harness import environment; environment.describe(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(("said", "share"), [("1", 1), ("100000", None), ("0", None), ("many", None), ("", None)])
def test_a_run_takes_all_cores_unless_it_is_told_its_share(
    monkeypatch: pytest.MonkeyPatch, said: str, share: int | None
) -> None:
    monkeypatch.setenv(environment.SHARE_VARIABLE, said)
    assert environment.share() == (share or environment.cores())


def test_a_machine_without_cpuinfo_is_no_error(tmp_path: Path) -> None:
    assert environment.cpu_model(tmp_path / "cpuinfo") == (platform.processor() or None)


def test_the_cpu_is_named_as_each_architecture_does(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nmodel name\t: First Chip\n\nprocessor\t: 1\nmodel name\t: Second Chip\n")
    assert environment.cpu_model(cpuinfo) == "First Chip"
    cpuinfo.write_text("processor\t: 0\nBogoMIPS\t: 62.50\n\nModel\t: Some Board Rev 1\n")
    assert environment.cpu_model(cpuinfo) == "Some Board Rev 1"


def test_a_container_is_known_by_its_traces(tmp_path: Path) -> None:
    assert environment.container(tmp_path) is None
    (tmp_path / "run").mkdir()
    (tmp_path / "run/.containerenv").touch()
    assert environment.container(tmp_path) == "podman"
    (tmp_path / ".dockerenv").touch()
    assert environment.container(tmp_path) == "docker"


def test_a_checkout_tells_its_commit_and_whether_it_was_changed(tmp_path: Path) -> None:
    assert environment.git_state(tmp_path) == {"git_commit": None, "git_dirty": None}
    git(tmp_path, "init")
    git(tmp_path, "commit", "--allow-empty", "-m", "first")
    state = environment.git_state(tmp_path)
    assert len(state["git_commit"]) == 40
    assert state["git_dirty"] is False
    (tmp_path / "new").touch()
    assert environment.git_state(tmp_path)["git_dirty"] is True


def test_trainers_that_fit_the_cores_give_no_warning() -> None:
    assert environment.oversubscription(agents=2, threads=2, cores=4) is None


def test_more_threads_than_cores_are_said_with_what_to_do() -> None:
    sentence = environment.oversubscription(agents=4, threads=2, cores=4)
    assert sentence is not None
    assert sentence.startswith("4 agents of 2 threads share 4 cores")
    assert sentence.endswith("use at most 2 agents for times to compare")
    assert "at most 1 agent for" in str(environment.oversubscription(agents=1, threads=8, cores=2))
