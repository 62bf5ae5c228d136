from __future__ import annotations

import fcntl
import os
import threading
from datetime import datetime, timezone
from pathlib import Path

import msgspec
import pytest

from harness.errors import StoreError, UsageError
from harness.records import ClientRecord, Header, Parameters, Partition, RoundRecord
from harness.rounds.events import AgentLost, AnyEvent
from harness.store import LOCK, RunFolder, new_run_id

HEADER = Header(
    run_id="r",
    method="federa",
    seed=0,
    profile={},
    profile_sha256="0" * 64,
    parameters=Parameters(adapter=1, head=1, total=9),
    svd_s=0.0,
    environment={},
    started_at="2026-01-31T14:25:01+00:00",
)
PHASES_S = dict.fromkeys(("download_s", "load_s", "train_s", "upload_s", "other_s"), 0.0)
CLIENT = ClientRecord(
    round=1,
    client=4,
    agent="a",
    attempt=1,
    samples=3,
    steps=1,
    tokens=9,
    serialise_s=0.0,
    total_s=0.0,
    provision_s=0.0,
    train_cpu_s=0.0,
    download_bytes=1,
    upload_bytes=1,
    wire_bytes=2,
    download_bps=1.0,
    upload_bps=1.0,
    peak_rss_bytes=1,
    warm_up=False,
    update_sha256="0" * 64,
    **PHASES_S,
)
ROUND = RoundRecord(
    round=1,
    elapsed_s=0.0,
    round_s=0.0,
    wall_s=0.0,
    critical_path_s=0.0,
    wait_s=0.0,
    aggregate_s=0.0,
    evaluate_s=None,
    metrics={},
    selected=(4,),
    completed=(4,),
    failed=(),
    download_bytes=1,
    upload_bytes=1,
    wire_bytes=2,
    state_sha256="0" * 64,
    **PHASES_S,
)


PARTITION = Partition(kind="iid", alpha=0.1, seed=0, classes=("a", "b"), counts=((3, 0), (1, 2)))


def lost(number: int, reason: str = "no heartbeat") -> AnyEvent:
    return AgentLost(at_s=float(number), agent=f"agent-{number}", reason=reason)


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    folder = RunFolder.create(tmp_path, "r")
    folder.write_header(HEADER)
    return folder


def test_a_header_is_read_as_it_was_written(folder: RunFolder) -> None:
    folder.mark("interrupted", "stopped by the user")
    header = RunFolder.open(folder.path).read_header()
    assert header == msgspec.structs.replace(HEADER, state="interrupted", reason="stopped by the user")


def test_a_header_of_a_newer_version_is_refused(folder: RunFolder) -> None:
    folder.write_header(msgspec.structs.replace(HEADER, schema=99))
    with pytest.raises(StoreError, match="has schema 99, this version reads 2 to 6"):
        folder.read_header()


def test_a_damaged_header_is_named(folder: RunFolder) -> None:
    (folder.path / "header.json").write_text("{")
    with pytest.raises(StoreError, match=r"header\.json cannot be read"):
        folder.read_header()


def test_a_partition_is_read_as_it_was_written_and_an_older_run_has_none(folder: RunFolder) -> None:
    assert folder.read_partition() is None
    folder.write_partition(PARTITION)
    assert RunFolder.open(folder.path).read_partition() == PARTITION
    assert not list(folder.path.glob(".*"))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "truncated"),
        ('{"kind":"iid","alpha":1,"seed":0,"classes":["a"],"counts":[]}', "no client"),
        ('{"kind":"iid","alpha":1,"seed":0,"classes":["a"],"counts":[[1],[1,2]]}', "client 1 has 2 counts"),
        ('{"kind":"iid","alpha":1,"seed":0,"classes":["a"],"counts":[[0]]}', "client 0 must hold a sample"),
        ('{"kind":"iid","alpha":1,"seed":0,"classes":["a","a"],"counts":[[0,1]]}', "the same name"),
    ],
)
def test_a_damaged_partition_is_named(folder: RunFolder, text: str, why: str) -> None:
    (folder.path / "partition.json").write_text(text)
    with pytest.raises(StoreError, match=rf"partition\.json cannot be read: .*{why}"):
        folder.read_partition()


def test_a_run_is_made_once(folder: RunFolder) -> None:
    with pytest.raises(StoreError, match="could not be made: File exists"):
        RunFolder.create(folder.path.parent, "r")


def test_a_folder_without_a_header_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"is not a run folder: it has no header\.json"):
        RunFolder.open(tmp_path)


def test_events_are_read_in_the_order_of_writing(folder: RunFolder) -> None:
    assert folder.read_events() == []
    events = [lost(1), lost(2), lost(3)]
    for event in events:
        folder.append_event(event)
    assert RunFolder.open(folder.path).read_events() == events


def test_a_torn_last_line_is_dropped_and_the_next_one_stands_alone(folder: RunFolder) -> None:
    folder.append_event(lost(1))
    with (folder.path / "events.jsonl").open("ab") as file:
        file.write(b'{"event":"agent-lo')
    assert folder.read_events() == [lost(1)]
    folder.append_event(lost(2))
    assert folder.read_events() == [lost(1), lost(2)]


def test_a_damaged_line_within_is_named(folder: RunFolder) -> None:
    folder.append_event(lost(1))
    with (folder.path / "events.jsonl").open("ab") as file:
        file.write(b"\0\0\0\n")
    folder.append_event(lost(2))
    with pytest.raises(StoreError, match=r"events\.jsonl, line 2 is damaged"):
        folder.read_events()


def test_derived_files_are_replaced_and_appended_to(folder: RunFolder) -> None:
    second = msgspec.structs.replace(ROUND, round=2)
    folder.append_round(msgspec.structs.replace(ROUND, round=7))
    folder.append_client(CLIENT)
    folder.rewrite_derived([], [ROUND])
    folder.append_round(second)
    assert folder.read_rounds() == [ROUND, second]
    assert (folder.path / "clients.jsonl").read_bytes() == b""


def test_a_lost_update_has_no_line_any_more(folder: RunFolder) -> None:
    other = msgspec.structs.replace(CLIENT, client=5)
    folder.append_client(CLIENT)
    folder.append_client(other)
    folder.forget_client(1, 4)
    folder.forget_client(2, 5)
    assert folder.read_clients() == [other]


def test_a_round_that_is_opened_again_has_no_line_any_more(folder: RunFolder) -> None:
    second = msgspec.structs.replace(ROUND, round=2)
    folder.append_round(ROUND)
    folder.append_round(second)
    folder.forget_round(2)
    assert folder.read_rounds() == [ROUND]
    folder.append_round(second)
    assert folder.read_rounds() == [ROUND, second]


def test_events_that_were_never_written_cannot_be_synced(folder: RunFolder) -> None:
    with pytest.raises(StoreError, match=r"events\.jsonl could not be written"):
        folder.sync_events()
    folder.append_event(lost(1))
    folder.sync_events()
    assert folder.read_events() == [lost(1)]


def test_one_controller_at_a_time_writes_a_run(folder: RunFolder) -> None:
    other = RunFolder.open(folder.path)
    assert not other.is_locked()
    with folder.locked():
        assert other.is_locked()
        with pytest.raises(StoreError, match=f"is being written by process {os.getpid()}; wait"), other.locked():
            pass
    with other.locked():
        assert folder.is_locked()


def test_who_only_looks_whether_a_run_is_written_keeps_nobody_from_writing_it(folder: RunFolder) -> None:
    with folder.locked():
        pass
    looking = (folder.path / LOCK).open(encoding="utf-8")
    fcntl.flock(looking, fcntl.LOCK_SH)
    threading.Timer(0.05, looking.close).start()
    with folder.locked():
        assert looking.closed


def test_run_ids_say_what_they_are_and_are_never_taken(tmp_path: Path) -> None:
    started_at = datetime(2026, 1, 31, 14, 25, 1, tzinfo=timezone.utc)
    ids = []
    for _ in range(3):
        ids.append(new_run_id(tmp_path, "quickstart", "federa", 0, started_at))
        RunFolder.create(tmp_path, ids[-1])
    first = "quickstart-federa-s0-20260131-142501"
    assert ids == [first, f"{first}-2", f"{first}-3"]
