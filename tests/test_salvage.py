"""A run that is resumed checks its files: what is damaged is made again, and the weights are those of a quiet run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from shutil import rmtree

import pytest
from benchtools import NULL, TINY

from harness.bench import RunOptions, carry_on, new_run
from harness.errors import RunInterruptedError, StoreError
from harness.launch import experiment_of
from harness.learning.workload import Sources
from harness.records import ClientRecord
from harness.rounds.events import Aggregated, AnyEvent, Evaluated, RunOpened, UpdateLost, UpdateReceived
from harness.rounds.machine import RoundMachine
from harness.store import RunFolder

NOISY = [*NULL[1::2], "train.null_noise=0.5", "train.null_state_bytes=400", "record.drift=false"]
Stop = Callable[[AnyEvent, RoundMachine], bool]


class Screen:
    """Ends the run as Ctrl-C would when something has happened; keeps what it is told."""

    def __init__(self, stop: Stop) -> None:
        self.stop, self.said = stop, list[str]()

    def say(self, line: str) -> None:
        self.said.append(line)

    def saw(self, event: AnyEvent, machine: RoundMachine) -> None:
        if self.stop(event, machine):
            raise KeyboardInterrupt


def begun(out: Path) -> RunFolder:
    """A null run with noise on virtual devices: its states tell each update."""
    options = RunOptions(out=out)
    return new_run(experiment_of(TINY, NOISY, fleet="virtual"), "federa", Sources(), options)


def goes_on(folder: RunFolder, stop: Stop = lambda event, machine: False) -> Screen:
    screen = Screen(stop)
    carry_on(folder, RunOptions(out=folder.path.parent), screen)
    return screen


def stopped(out: Path, stop: Stop) -> RunFolder:
    folder = begun(out)
    with pytest.raises(RunInterruptedError):
        goes_on(folder, stop)
    return folder


def hashes(folder: RunFolder) -> list[str]:
    return [record.state_sha256 for record in folder.read_rounds()]


def lost(folder: RunFolder) -> list[UpdateLost]:
    return [event for event in folder.read_events() if isinstance(event, UpdateLost)]


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The states of a run that nothing befalls."""
    folder = begun(tmp_path_factory.mktemp("quiet"))
    goes_on(folder)
    found = hashes(folder)
    assert len(set(found)) == 3
    return found


def two_updates_of_round_two(event: AnyEvent, machine: RoundMachine) -> bool:
    return isinstance(event, UpdateReceived) and machine.round == 2 and len(machine.completed) == 2


def all_updates_of_round_two(event: AnyEvent, machine: RoundMachine) -> bool:
    return machine.round == 2 and machine.phase == "aggregating"


def update_files(folder: RunFolder) -> list[Path]:
    """Those that were accepted; a virtual fleet has trained more."""
    return [folder.update(2, record.client) for record in folder.read_clients() if record.round == 2]


def remove(path: Path) -> None:
    path.unlink()


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)


def test_a_run_whose_files_are_whole_loses_nothing(tmp_path: Path, quiet: list[str]) -> None:
    folder = stopped(tmp_path, two_updates_of_round_two)
    goes_on(folder)
    assert lost(folder) == []
    assert hashes(folder) == quiet


@pytest.mark.parametrize("damage", [remove, truncate, flip])
@pytest.mark.parametrize("when", [two_updates_of_round_two, all_updates_of_round_two])
def test_a_damaged_update_is_trained_again(
    tmp_path: Path, quiet: list[str], when: Stop, damage: Callable[[Path], None]
) -> None:
    folder = stopped(tmp_path, when)
    victim = update_files(folder)[0]
    damage(victim)
    goes_on(folder)
    (event,) = lost(folder)
    assert folder.update(event.round, event.client) == victim
    assert ("is gone" if damage is remove else "is damaged") in event.reason
    assert hashes(folder) == quiet
    assert _each_once(folder.read_clients())


def _each_once(records: list[ClientRecord]) -> bool:
    keys = [(record.round, record.client) for record in records]
    return len(keys) == len(set(keys)) == 12


def test_it_is_lost_once_also_when_the_next_controller_is_stopped_before_it_is_trained(
    tmp_path: Path, quiet: list[str]
) -> None:
    folder = stopped(tmp_path, two_updates_of_round_two)
    flip(update_files(folder)[0])
    with pytest.raises(RunInterruptedError):
        goes_on(folder, lambda event, machine: isinstance(event, UpdateLost))
    goes_on(folder)
    assert len(lost(folder)) == 1
    assert hashes(folder) == quiet


def test_a_damaged_initial_state_is_written_again(tmp_path: Path, quiet: list[str]) -> None:
    folder = stopped(tmp_path, lambda event, machine: isinstance(event, RunOpened))
    flip(folder.checkpoint(0))
    screen = goes_on(folder)
    assert any("round-0000.safetensors is damaged" in line and "written again" in line for line in screen.said)
    assert hashes(folder) == quiet


def round_three(event: AnyEvent, machine: RoundMachine) -> bool:
    return machine.round == 3


@pytest.mark.parametrize("damage", [remove, truncate, flip])
def test_a_state_whose_updates_were_removed_is_trained_for_again_from_the_one_before(
    tmp_path: Path, quiet: list[str], damage: Callable[[Path], None]
) -> None:
    """Its round was closed, and is opened again; what was trained from it is trained again, too."""
    folder = stopped(tmp_path, two_updates_of_round_two)
    rmtree(folder.path / "updates" / "round-0001", ignore_errors=True)
    damage(folder.checkpoint(1))
    goes_on(folder)
    assert [event.round for event in lost(folder)] == [1] * 4
    assert hashes(folder) == quiet
    assert _each_once(folder.read_clients())
    assert [path.name for path in (folder.path / "updates").iterdir()] == []


def test_with_the_state_before_it_a_state_is_gone_for_good_and_the_sentence_says_what_to_do(
    tmp_path: Path, quiet: list[str]
) -> None:
    folder = stopped(tmp_path, round_three)
    rmtree(folder.path / "updates" / "round-0002", ignore_errors=True)
    copy = folder.checkpoint(1).read_bytes()
    flip(folder.checkpoint(1))
    flip(folder.checkpoint(2))
    with pytest.raises(
        StoreError, match=r"round-0001\.safetensors is damaged.*removed when round 1 was closed"
    ) as told:
        goes_on(folder)
    assert str(told.value).count(";") == 1
    folder.checkpoint(1).write_bytes(copy)
    goes_on(folder)
    assert hashes(folder) == quiet


def test_a_state_is_made_again_while_its_updates_are_there(tmp_path: Path, quiet: list[str]) -> None:
    """A controller that dies between closing a round and removing its updates leaves them."""
    folder = stopped(tmp_path, all_updates_of_round_two)
    kept = {path: path.read_bytes() for path in update_files(folder)}
    with pytest.raises(RunInterruptedError):
        goes_on(folder, lambda event, machine: machine.round == 3)
    for path, data in kept.items():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    remove(folder.checkpoint(2))
    screen = goes_on(folder)
    assert any("it was made again of the updates of round 2" in line for line in screen.said)
    assert hashes(folder) == quiet


def test_of_updates_that_are_there_still_the_damaged_one_alone_is_trained_again(
    tmp_path: Path, quiet: list[str]
) -> None:
    folder = stopped(tmp_path, all_updates_of_round_two)
    kept = {path: path.read_bytes() for path in update_files(folder)}
    with pytest.raises(RunInterruptedError):
        goes_on(folder, round_three)
    for path, data in kept.items():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    flip(update_files(folder)[0])
    remove(folder.checkpoint(2))
    goes_on(folder)
    assert [event.round for event in lost(folder)] == [2]
    assert hashes(folder) == quiet


def test_a_run_that_learns_makes_a_damaged_state_again_before_it_evaluates_it(tmp_path: Path) -> None:
    """Torch trains here, because only what learns is evaluated."""

    def run(out: Path) -> RunFolder:
        profile = experiment_of(TINY, ["rounds.count=2"], fleet="virtual")
        return new_run(profile, "fedbf", Sources(), RunOptions(out=out))

    def second_state(event: AnyEvent, machine: RoundMachine) -> bool:
        return isinstance(event, Aggregated) and machine.round == 2

    undisturbed = run(tmp_path / "undisturbed")
    goes_on(undisturbed)
    for number, lose_an_update in enumerate((False, True)):
        folder = run(tmp_path / str(number))
        with pytest.raises(RunInterruptedError):
            goes_on(folder, second_state)
        flip(folder.checkpoint(2))
        if lose_an_update:
            flip(update_files(folder)[0])
        goes_on(folder)
        assert len(lost(folder)) == lose_an_update
        assert hashes(folder) == hashes(undisturbed)
        assert sum(isinstance(event, Evaluated) for event in folder.read_events()) == 2


def test_an_update_that_is_damaged_when_its_state_is_there_is_not_missed(tmp_path: Path, quiet: list[str]) -> None:
    """The state of the round has it already."""
    folder = stopped(tmp_path, lambda event, machine: isinstance(event, Aggregated) and event.round == 1)
    for path in (folder.path / "updates" / "round-0001").glob("*"):
        flip(path)
    goes_on(folder)
    assert lost(folder) == []
    assert hashes(folder) == quiet


@pytest.mark.parametrize("overlap", ["never", "always"])
def test_updates_are_needed_until_clients_are_evaluated(tmp_path: Path, overlap: str) -> None:
    """Of a run that evaluates them: an update that is lost by then is trained again, though its state is there; also
    where the next round has begun meanwhile."""

    def run(out: Path) -> RunFolder:
        overrides = ["rounds.count=2", "evaluate.clients=true", f"evaluate.overlap={overlap}"]
        return new_run(experiment_of(TINY, overrides, fleet="virtual"), "fedbf", Sources(), RunOptions(out=out))

    undisturbed = run(tmp_path / "undisturbed")
    goes_on(undisturbed)
    folder = run(tmp_path / "stopped")
    with pytest.raises(RunInterruptedError):
        goes_on(folder, lambda event, machine: isinstance(event, Aggregated) and event.round == 1)
    flip(folder.update(1, folder.read_clients()[0].client))
    goes_on(folder)
    assert [event.round for event in lost(folder)] == [1]
    assert hashes(folder) == hashes(undisturbed)
    mine, theirs = ([record.client_metrics for record in it.read_rounds()] for it in (folder, undisturbed))
    assert mine == theirs
    assert [len(clients) for clients in mine] == [4, 4]
