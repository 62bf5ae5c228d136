"""Reads a run folder, strictly: what is not as :mod:`harness.records` says is an error that names the file.

One thing is forgiven: a last line without its end, as a full disk or a kill leaves it. It is left out and noted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from analysis.flat import flatten
from analysis.happened import Happened
from harness.errors import StoreError, UsageError
from harness.profiles import Experiment, build
from harness.records import READABLE_SCHEMAS, READABLE_WORDS, ClientRecord, Header, Partition, RoundRecord

HEADER, PARTITION, ROUNDS, CLIENTS = "header.json", "partition.json", "rounds.jsonl", "clients.jsonl"
EVENTS = "events.jsonl"

R = TypeVar("R", bound=msgspec.Struct)


@dataclass(frozen=True)
class Run:
    """All that one run left behind. ``notes`` are sentences about what could not be read and was left out.

    ``partition`` is None in a run that recorded none; ``events`` are empty where their file is not there.
    """

    header: Header
    rounds: tuple[RoundRecord, ...]
    clients: tuple[ClientRecord, ...]
    path: Path
    notes: tuple[str, ...] = ()
    partition: Partition | None = None
    events: tuple[Happened, ...] = ()

    @cached_property
    def experiment(self) -> Experiment:
        """The resolved profile of the run, typed."""
        return build(self.header.profile, str(self.path / HEADER))

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The leaves of the resolved profile by their path, as in ``rounds.count``."""
        return flatten(self.header.profile)

    @cached_property
    def idle_w(self) -> dict[str, float]:
        """What each agent's device takes idle, in watts: one that got its first task at once measured it later."""
        found: dict[str, float] = {}
        for client in self.clients:
            if client.vitals is not None and client.vitals.idle_w is not None:
                found.setdefault(client.agent, client.vitals.idle_w)
        return found


class _Schema(msgspec.Struct):
    """The one field of a header that every schema has."""

    schema: int


def load_run(path: Path) -> Run:
    """Read one run folder.

    Raises:
        UsageError: there is no such folder, or a file of it is missing.
        StoreError: a file cannot be read, is damaged, or was written by a newer version.
    """
    if not path.is_dir():
        raise UsageError(f"{path}: there is no such folder; give a run folder, such as runs/<run id>")
    header = _read_header(path / HEADER)
    rounds, round_notes = _read_lines(path / ROUNDS, RoundRecord)
    clients, client_notes = _read_lines(path / CLIENTS, ClientRecord)
    events, _ = _read_lines(path / EVENTS, Happened) if (path / EVENTS).exists() else ((), ())
    notes = (*round_notes, *client_notes)  # an event that is torn is not yet counted in anything
    run = Run(header, rounds, clients, path, notes, _read_partition(path / PARTITION), events)
    _ = run.experiment  # a profile that is not valid is said now, not in the middle of a report
    return run


@dataclass(frozen=True)
class Loaded:
    """Runs that were read, and a sentence for each that stood in a folder of runs and could not be."""

    runs: tuple[Run, ...]
    left_out: tuple[str, ...] = ()


def load_runs(paths: Sequence[Path]) -> Loaded:
    """Read run folders, each once; a folder that holds run folders stands for all of them.

    A run that is named must be readable; one that is only found in a folder of runs is left out, with its reason.

    Raises:
        UsageError: a folder or file is missing, or a folder holds no run.
        StoreError: a named run is damaged.
    """
    runs: dict[Path, Run] = {}
    left_out: list[str] = []
    for path in paths:
        if (path / HEADER).exists() or not path.is_dir():
            runs.setdefault(path.resolve(), load_run(path))
            continue
        for found in _runs_below(path):
            try:
                runs.setdefault(found.resolve(), load_run(found))
            except (UsageError, StoreError) as error:
                left_out.append(f"A run was left out: {error}")
    if not runs:
        raise UsageError(left_out[0] if left_out else "no run was given; give at least one run folder")
    return Loaded(tuple(runs.values()), tuple(left_out))


def _runs_below(path: Path) -> list[Path]:
    found = sorted(child for child in path.iterdir() if (child / HEADER).exists())
    if not found:
        raise UsageError(f"{path}: neither it nor a folder in it has a {HEADER}; give a run folder or a folder of runs")
    return found


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        if path.name == HEADER:
            raise UsageError(f"{path} is missing, so this is no run folder; give one, such as runs/<run id>") from None
        raise UsageError(
            f"{path} is missing: nothing was recorded yet, or it was deleted; "
            f"go on with: federa-bench resume {path.parent}"
        ) from None
    except OSError as error:
        raise StoreError(f"{path} cannot be read ({error.strerror}); check the disk and the file's rights") from None


def _read_header(path: Path) -> Header:
    data = _read(path)
    try:
        schema = msgspec.json.decode(data, type=_Schema).schema
        if schema not in READABLE_SCHEMAS:
            raise StoreError(
                f"{path} has schema {schema}, this version reads {READABLE_WORDS}; use the federa-bench that wrote it"
            )
        return msgspec.json.decode(data, type=Header)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StoreError(f"{path} is damaged ({error}); restore it from a copy or run again") from None


def _read_partition(path: Path) -> Partition | None:
    if not path.exists():
        return None
    try:
        return msgspec.json.decode(_read(path), type=Partition)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StoreError(f"{path} is damaged ({error}); restore it from a copy, or delete it") from None


def _read_lines(path: Path, kind: type[R]) -> tuple[tuple[R, ...], tuple[str, ...]]:
    """Records of a JSON Lines file, and a note if its last line has no end and cannot be read."""
    decoder = msgspec.json.Decoder(kind)
    *lines, tail = _read(path).split(b"\n")
    records = []
    for number, line in enumerate(lines, start=1):
        try:
            records.append(decoder.decode(line))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise StoreError(f"{path}, line {number} is damaged ({error}); restore it or run again") from None
    if not tail:
        return tuple(records), ()
    try:
        return (*records, decoder.decode(tail)), ()
    except (msgspec.DecodeError, UnicodeDecodeError):
        return tuple(records), (f"{path}: the last line is unfinished and was left out.",)
