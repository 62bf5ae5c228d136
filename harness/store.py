"""The folder of a run: what is appended to it, what is replaced in it, and who may write it.

Only ``events.jsonl`` and the header are facts; ``rounds.jsonl`` and ``clients.jsonl`` follow from the events and are
written anew at a resume. A line is written whole or not at all, so a killed controller leaves nothing half said; only
a machine that loses power may tear the last line, and that line is dropped. The header is on the disk before it gets
its name, events are soon after each round's close (of the open round and the one before updates may be forgotten), and
what follows from them is once the run is done.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Literal

import msgspec

from harness.durable import append_whole, cut_torn_line, replace_whole, sync, taken_alone
from harness.errors import FULL, FederaBenchError, StoreError, UsageError, not_written
from harness.records import READABLE_SCHEMAS, READABLE_WORDS, ClientRecord, Header, Partition, RoundRecord
from harness.rounds.events import AnyEvent
from harness.states import StateFiles

HEADER, PARTITION, LOCK = "header.json", "partition.json", "controller.lock"
EVENTS, ROUNDS, CLIENTS = "events.jsonl", "rounds.jsonl", "clients.jsonl"


class RunFolder(StateFiles):
    """One run's folder. Reading needs nothing; who writes holds :meth:`locked`."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.work = path / "work"
        self._lines = {name: path / name for name in (EVENTS, ROUNDS, CLIENTS)}

    @classmethod
    def create(cls, root: Path, run_id: str) -> RunFolder:
        """Make the folder of a new run below ``root``.

        Raises:
            StoreError: it is there already, or cannot be made.
        """
        folder = cls(root / run_id)
        try:
            folder.path.mkdir(parents=True)
            for inner in (folder.work, folder.path / "checkpoints", folder.path / "updates"):
                inner.mkdir()
            sync(root)
        except OSError as error:
            if error.errno not in FULL:
                raise StoreError(f"the run folder {folder.path} could not be made: {error.strerror}") from None
            shutil.rmtree(folder.path, ignore_errors=True)  # half a folder is no run
            raise not_written(f"the run folder {folder.path}", error, "give another --out") from None
        return folder

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """An existing run.

        Raises:
            UsageError: the folder is not there, or is no run folder.
        """
        if not (path / HEADER).is_file():
            raise UsageError(f"{path} is not a run folder: it has no {HEADER}; see the runs with: federa-bench status")
        return cls(path)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder for writing; the lock ends with the process, however that ends.

        Raises:
            StoreError: another controller writes this run.
        """
        with ExitStack() as stack:
            try:
                self._sign(stack.enter_context((self.path / LOCK).open("a+", encoding="utf-8")))
            except OSError as error:
                raise self.unwritten(self.path / LOCK, error) from None
            yield

    def _sign(self, file: IO[str]) -> None:
        """Take the lock, and write into it whose it is."""
        if not taken_alone(file):
            file.seek(0)
            raise StoreError(
                f"{self.path} is being written by process {file.read().strip() or '(unknown)'}; "
                "wait for it to end, or stop it"
            )
        file.truncate(0)
        os.write(file.fileno(), f"{os.getpid()}\n".encode())  # unbuffered: nothing is left to fail when it is closed

    def is_locked(self) -> bool:
        """Whether a controller writes this run now."""
        try:
            with (self.path / LOCK).open(encoding="utf-8") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    def write_header(self, header: Header) -> None:
        """Replace the header in one step: a reader sees the old one or the new one, also after a loss of power."""
        self._replace(HEADER, msgspec.json.format(msgspec.json.encode(header)) + b"\n", synced=True)

    def read_header(self) -> Header:
        """The header.

        Raises:
            StoreError: it cannot be read, or is of another schema.
        """
        try:
            header = msgspec.json.decode((self.path / HEADER).read_bytes(), type=Header)
        except (OSError, msgspec.DecodeError) as error:
            raise StoreError(f"{self.path / HEADER} cannot be read: {error}") from None
        if header.schema not in READABLE_SCHEMAS:
            raise StoreError(
                f"{self.path} has schema {header.schema}, this version reads {READABLE_WORDS}; "
                "use the federa-bench that wrote it"
            )
        return header

    def mark(self, state: Literal["running", "done", "failed", "interrupted"], reason: str | None) -> None:
        """Write into the header how the run stands."""
        self.write_header(msgspec.structs.replace(self.read_header(), state=state, reason=reason))

    def write_partition(self, partition: Partition) -> None:
        """Record what each client holds."""
        self._replace(PARTITION, msgspec.json.encode(partition) + b"\n")

    def read_partition(self) -> Partition | None:
        """What each client holds; None in a run that did not record it.

        Raises:
            StoreError: it cannot be read.
        """
        path = self.path / PARTITION
        try:
            return msgspec.json.decode(path.read_bytes(), type=Partition) if path.exists() else None
        except (OSError, msgspec.DecodeError) as error:
            raise StoreError(f"{path} cannot be read: {error}") from None

    def append_event(self, event: AnyEvent) -> None:
        """Append a fact."""
        self._append(EVENTS, event)

    def sync_events(self) -> None:
        """Wait until the events so far are on the disk: what they made superfluous may go then."""
        self._sync(EVENTS)

    def sync_derived(self) -> None:
        """Wait until the lines of all rounds and updates are on the disk."""
        for name in filter(lambda name: (self.path / name).exists(), (ROUNDS, CLIENTS)):
            self._sync(name)

    def append_client(self, record: ClientRecord) -> None:
        """Append an accepted update."""
        self._append(CLIENTS, record)

    def append_round(self, record: RoundRecord) -> None:
        """Append a closed round."""
        self._append(ROUNDS, record)

    def read_events(self) -> list[AnyEvent]:
        """All events. A torn last line is cut off the file: call it under :meth:`locked`.

        Raises:
            StoreError: a line within the file is damaged.
        """
        if (self.path / EVENTS).exists():
            cut_torn_line(self.path / EVENTS)
        return self._read(EVENTS, AnyEvent)

    def read_rounds(self) -> list[RoundRecord]:
        """The closed rounds so far; may be called while another process writes."""
        return self._read(ROUNDS, RoundRecord)

    def read_clients(self) -> list[ClientRecord]:
        """The accepted updates so far; may be called while another process writes."""
        return self._read(CLIENTS, ClientRecord)

    def forget_client(self, round: int, client: int) -> None:
        """Take an update's line out of ``clients.jsonl``."""
        kept = [record for record in self.read_clients() if (record.round, record.client) != (round, client)]
        self._replace(CLIENTS, msgspec.json.Encoder().encode_lines(kept))

    def forget_round(self, round: int) -> None:
        """Take a round's line out of ``rounds.jsonl``."""
        kept = [record for record in self.read_rounds() if record.round != round]
        self._replace(ROUNDS, msgspec.json.Encoder().encode_lines(kept))

    def rewrite_derived(self, clients: Iterable[ClientRecord], rounds: Iterable[RoundRecord]) -> None:
        """Replace what follows from the events; a resumed run appends to it."""
        self._replace(CLIENTS, msgspec.json.Encoder().encode_lines(list(clients)))
        self._replace(ROUNDS, msgspec.json.Encoder().encode_lines(list(rounds)))

    def _append(self, name: str, line: msgspec.Struct) -> None:
        try:
            append_whole(self._lines[name], msgspec.json.encode(line) + b"\n")
        except OSError as error:
            raise self.unwritten(self._lines[name], error) from None

    def _sync(self, name: str) -> None:
        try:
            sync(self.path / name)
        except OSError as error:
            raise self.unwritten(self.path / name, error) from None

    def _replace(self, name: str, data: bytes, *, synced: bool = False) -> None:
        try:
            replace_whole(self.path / name, data, synced=synced)
        except OSError as error:
            raise self.unwritten(self.path / name, error) from None

    def _read(self, name: str, kind: Any) -> list[Any]:
        path = self.path / name
        lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
        decoder = msgspec.json.Decoder(kind)
        records = []
        for number, line in enumerate(lines, start=1):
            try:
                records.append(decoder.decode(line))
            except msgspec.DecodeError as error:
                raise StoreError(f"{path}, line {number} is damaged: {error}; start a new run") from None
        return records

    def unwritten(self, path: Path | str, error: OSError) -> FederaBenchError:
        """What to tell a person where a file could not be written: a run without a header has nothing to resume."""
        if (self.path / HEADER).exists():
            return super().unwritten(path, error)
        return not_written(str(path), error, "give another --out")


def new_run_id(root: Path, profile: str, method: str, seed: int, started_at: datetime) -> str:
    """A run's name that is free below ``root``: ``quickstart-federa-s0-20260131-142501``."""
    name = f"{profile}-{method}-s{seed}-{started_at:%Y%m%d-%H%M%S}"
    candidates = itertools.chain([name], (f"{name}-{n}" for n in itertools.count(2)))
    return next(candidate for candidate in candidates if not (root / candidate).exists())
