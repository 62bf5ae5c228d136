"""What a resume finds of a run's states: their hashes are checked before anything goes on from them.

A lost update is trained again, a lost state is aggregated again from its round's updates. Where these are gone too, its
round is opened again, as long as the state before it is there: the last two are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from harness.blobs import blob_of
from harness.errors import BlobError, StoreError, TrainerError
from harness.learning.aggregation.base import Update
from harness.records import ClientRecord
from harness.rounds.events import UpdateLost
from harness.rounds.machine import RoundMachine
from harness.states import StateFiles

Aggregate = Callable[[int, Sequence[Update]], str]
"""Makes the checkpoint of a round anew of its updates, in client order; its SHA-256."""
Say = Callable[[str], None]


class Salvage:
    """Checks the files of one run that is about to be resumed.

    ``machine`` has seen all recorded events, ``records`` are the updates that it accepted, ``initial`` is the initial
    state as it was prepared anew. ``evaluates_clients``: a round's updates are looked at once more when its state is
    there. ``say`` is told what was mended.
    """

    def __init__(
        self,
        files: StateFiles,
        machine: RoundMachine,
        records: Sequence[ClientRecord],
        initial: Path,
        aggregate: Aggregate,
        say: Say,
        evaluates_clients: bool = False,
    ) -> None:
        self._files, self._machine, self._records = files, machine, records
        self._initial, self._aggregate, self._say = initial, aggregate, say
        self._evaluates_clients = evaluates_clients

    def lost(self, at_s: float) -> list[UpdateLost]:
        """Mend what can be mended; the updates that have to be trained again.

        Raises:
            StoreError: a state that the run needs is gone for good, or could not be written.
        """
        machine = self._machine
        if not machine.opened or machine.phase == "finished":
            return []
        self._see_to_the_initial_state()
        if not machine.round:
            return []
        if lost := self._lost_before(at_s):
            return lost
        aggregated = machine.phase == "evaluating" and self._is_whole(machine.round, machine.state_sha256)
        if aggregated and not self._evaluates_clients:
            return []  # the round's updates are in its state
        self._need(machine.round - 1, machine.state_before_sha256)
        return self._lost_of(machine.round, at_s)

    def _lost_before(self, at_s: float) -> list[UpdateLost]:
        """What is lost of the round before the open one, so that it has to be opened again: nothing, as a rule.

        Its state is the one that the open round trains from; while it is evaluated, its clients' updates may be needed
        for that. Without them it is made again, from the state before it.
        """
        machine, round = self._machine, self._machine.goes_back_to
        if round is None or (machine.phase == "evaluating" and machine.beside is None):
            return []
        whole = self._is_whole(round, machine.state_before_sha256)
        if whole and (machine.beside is None or not self._evaluates_clients):
            return []
        lost = self._lost_of(round, at_s)
        if lost or whole:  # its clients were given what is made of the state before
            self._need(round - 1, machine.state_before_last_sha256)
        else:
            self._need(round, machine.state_before_sha256)
        return lost

    def _lost_of(self, round: int, at_s: float) -> list[UpdateLost]:
        """The updates of a round that are gone or damaged."""
        return [
            UpdateLost(at_s=at_s, round=round, client=record.client, reason=reason)
            for record in self._of_round(round)
            if (reason := fault_of(self._files.update(round, record.client), record.update_sha256))
        ]

    def _see_to_the_initial_state(self) -> None:
        sha256 = self._machine.initial_state_sha256 or ""
        fault = fault_of(self._files.checkpoint(0), sha256)
        if fault is None:
            return
        if fault_of(self._initial, sha256) is not None:
            raise StoreError(f"{fault}, and it could not be prepared as it was; start a new run")
        self._files.restore_initial_state(self._initial)
        self._say(f"{fault}; it was written again as it is prepared")

    def _need(self, round: int, sha256: str) -> None:
        """A state that is trained from.

        Raises:
            StoreError: it is gone.
        """
        if not self._is_whole(round, sha256):
            raise StoreError(
                f"{fault_of(self._files.checkpoint(round), sha256)}, and the updates that it was made of were "
                f"removed when round {round} was closed; restore that file from a copy, or start a new run"
            )

    def _is_whole(self, round: int, sha256: str) -> bool:
        """Whether a round's state is there, or could be made again."""
        path = self._files.checkpoint(round)
        fault = fault_of(path, sha256)
        if fault is None:
            return True
        of = self._of_round(round)
        updates = [Update(record.client, self._files.update(round, record.client), record.samples) for record in of]
        if not of or any(fault_of(one.path, record.update_sha256) for one, record in zip(updates, of, strict=True)):
            return False
        try:
            if self._aggregate(round, updates) != sha256:
                return False
        except (BlobError, TrainerError):  # whole files that make no state: of another version, or of a damaged one
            return False
        except OSError as error:
            raise self._files.unwritten(path, error) from None
        self._say(f"{fault}; it was made again of the updates of round {round}")
        return True

    def _of_round(self, round: int) -> list[ClientRecord]:
        """The accepted updates of a round, in client order."""
        return sorted((record for record in self._records if record.round == round), key=lambda record: record.client)


def fault_of(path: Path, sha256: str) -> str | None:
    """What is wrong with a file that should have this content, in words; None: nothing."""
    try:
        found = blob_of(path).sha256
    except FileNotFoundError:
        return f"{path} is gone"
    except OSError as error:
        return f"{path} cannot be read ({error.strerror})"
    return None if found == sha256 else f"{path} is damaged: its content is not what was recorded"
