"""A disk that is full from the n-th write on: one sentence says so and how to go on, and no result is lost."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from benchtools import LONGEST_S, bench, command
from books import check_books
from full_disk import EVER, FullDisk
from ground import Ground, Setting, free_port
from ledger import Attempt, Faults
from quiet import Quiet, check_end

from harness.rounds.events import AgentLost, TaskFailed

RUN = Setting(rounds=2, clients=2, agents=1, state_bytes=4096, sets=("partition={kind: iid, clients: 4}",))
ON_ONE_DISK = dataclasses.replace(RUN, sets=(*RUN.sets, "rounds.max_attempts=2", "rounds.quorum=1"))
"""Where agents have no room either: their clients are not left out, the run ends and is resumed."""
FULL = ("disk is full", "No space left on device", "tells why")
"""One of these is said; the last of them of an agent's log."""
GO_ON = re.compile(r"federa-bench (resume|report) (\S+)$")


@dataclass
class Tries:
    """Tries of one fault; what went wrong in them is said together, at the end."""

    fault: str
    faults: Faults
    wrong: list[str] = field(default_factory=list)

    def of(self, trial: Callable[[Attempt], None], what: str) -> None:
        """One try."""
        try:
            with self.faults.trying(self.fault) as attempt:
                trial(attempt)
        except AssertionError as error:
            self.wrong.append(f"{what}: {error}")


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> FullDisk:
    return FullDisk.made(tmp_path_factory.mktemp("disk"))


def spread(writes: list[str], count: int) -> Iterator[tuple[int, str]]:
    """So many numbers of writes that succeed, evenly over all, and the first write that then fails."""
    count = min(count, len(writes))
    for number in sorted({round(place * (len(writes) - 1) / max(1, count - 1)) for place in range(count)}):
        yield number, f"at write {number + 1}, {writes[number]}"


def run_on(disk: FullDisk, folder: Path, writes: int) -> subprocess.CompletedProcess[str]:
    """A whole run with its agents on this machine, and its report; its folder takes so many writes."""
    env = disk.environment(f"{folder}/runs/tiny", writes)
    line = command("run", *RUN.arguments())
    return subprocess.run(line, cwd=folder, env=env, capture_output=True, text=True, timeout=LONGEST_S, check=False)


def runs_in(folder: Path) -> list[Path]:
    return [header.parent for header in folder.glob("runs/*/header.json")]


def test_wherever_the_controllers_disk_is_full_a_sentence_says_how_to_go_on_to_the_same_state(
    disk: FullDisk, faults: Faults, undisturbed: Callable[..., Quiet], tmp_path: Path
) -> None:
    tries = Tries("the controller's disk is full from a write on, later there is room", faults)
    folder = tmp_path / "quiet"
    folder.mkdir()
    assert run_on(disk, folder, EVER).returncode == 0
    for number, what in spread(disk.writes(), faults.tries(4, 1000)):
        folder = tmp_path / str(number)
        folder.mkdir()

        def trial(_: Attempt, number: int = number, folder: Path = folder) -> None:
            full = run_on(disk, folder, number)
            for _ in range(5):
                if disk.refused():
                    break
                number = len(disk.writes()) - 1  # quicker than the quiet run, it had less telemetry to write
                shutil.rmtree(folder)
                folder.mkdir()
                full = run_on(disk, folder, number)
            said = (full.stdout + full.stderr).strip()
            sentence = said.splitlines()[-1]
            assert full.returncode == 1, said
            assert "Traceback" not in said, said
            assert sentence.startswith("federa-bench: the disk is full: "), sentence
            assert "free space" in sentence
            found = GO_ON.search(sentence)
            assert found or not runs_in(folder), f"not how to go on: {sentence}"
            again = bench(*found.groups(), cwd=folder) if found else bench("run", *RUN.arguments(), cwd=folder)
            if found := GO_ON.search(again.stderr.strip()):  # the last word on the disk was that it is done
                again = bench(*found.groups(), cwd=folder)
            assert again.returncode == 0, again.stderr
            (run,) = runs_in(folder)
            assert [record.state_sha256 for record in check_books(run)] == undisturbed(RUN).states
            assert (run / "report.html").stat().st_size > 0

        tries.of(trial, what)
        shutil.rmtree(folder)
    assert not tries.wrong, "\n".join(tries.wrong)


def test_wherever_an_agents_disk_is_full_it_says_so_and_the_run_goes_on_once_there_is_room(
    disk: FullDisk, faults: Faults, undisturbed: Callable[..., Quiet], tmp_path: Path
) -> None:
    tries = Tries("an agent's disk is full from a write on, later there is room", faults)
    quiet_end = undisturbed(RUN)

    def ground(name: str, writes: int) -> Ground:
        env = disk.environment(f"{tmp_path / name}/caches", writes)
        return Ground(tmp_path / name, RUN, free_port(), agent_env=env)

    with ground("quiet", EVER) as quiet:
        quiet.finish()
    for number, what in spread(disk.writes(), faults.tries(2, 1000)):

        def trial(attempt: Attempt, number: int = number) -> None:
            with ground(str(number), number) as here:
                agent = here.agents["agent-1"]
                here.until(
                    lambda: here.count(TaskFailed) + here.count(AgentLost) + len(agent.exit_codes) or here.done(),
                    "word of the full disk",
                )
                assert disk.refused(), "no write failed"
                since = here.progress()
                disk.allow(EVER)
                began_s = time.monotonic()
                here.until(lambda: here.progress() > since or here.done(), "progress")
                attempt.recovered(time.monotonic() - began_s)
                attempt.grew(check_end(here, quiet_end))
                reasons = [it.reason for it in here.events() if isinstance(it, (TaskFailed, AgentLost))]
                said = "\n".join([*reasons, agent.said()])
                assert any(words in said for words in FULL), said
                assert "Traceback" not in said, said

        tries.of(trial, what)
        shutil.rmtree(tmp_path / str(number))
    assert not tries.wrong, "\n".join(tries.wrong)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """A function that gives a file system so many KiB; a second time it is the same one, larger. Skipped without."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def of(size_kib: int) -> Path:
        how = "remount," if folder.is_mount() else ""
        mount = ["mount", "-t", "tmpfs", "-o", f"{how}size={size_kib}k", "tmpfs", str(folder)]
        done = subprocess.run(mount, capture_output=True, check=False)
        if done.returncode:
            pytest.skip("a small file system cannot be mounted here (needs root)")
        return folder

    yield of
    if folder.is_mount():
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_run_on_a_disk_of_any_size_goes_on_to_the_same_state_when_it_grows(
    small_disk: Callable[[int], Path], faults: Faults, undisturbed: Callable[..., Quiet]
) -> None:
    tries = Tries("a real disk of so many pages, for the run and its agents, that grows later", faults)
    line = command("run", *ON_ONE_DISK.arguments())
    for pages in range(faults.tries(18, 10), faults.tries(19, 110)):
        folder = small_disk(4 * pages)

        def trial(_: Attempt, folder: Path = folder) -> None:
            full = subprocess.run(line, cwd=folder, capture_output=True, text=True, timeout=LONGEST_S, check=False)
            said = full.stdout + full.stderr
            assert "Traceback" not in said, said
            assert full.returncode == 0 or any(words in said for words in FULL), said
            small_disk(64_000)
            for run in runs_in(folder):
                if json.loads((run / "header.json").read_text())["state"] != "done":
                    again = bench("resume", str(run), cwd=folder)
                    assert again.returncode == 0, again.stderr
                assert [record.state_sha256 for record in check_books(run)] == undisturbed(ON_ONE_DISK).states

        tries.of(trial, f"on {pages} pages")
        subprocess.run(["umount", "-l", str(folder)], check=True)
    assert not tries.wrong, "\n".join(tries.wrong)
