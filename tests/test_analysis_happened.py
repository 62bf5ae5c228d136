"""Events as the analysis reads them: what the controller writes, and what it may write one day."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
import run_folders

from analysis.happened import Happened
from analysis.load import load_run
from harness.errors import StoreError
from harness.rounds.events import AgentLost, Aggregated, UpdateReceived


def read(event: msgspec.Struct) -> Happened:
    return msgspec.json.decode(msgspec.json.encode(event), type=Happened)


def test_what_the_controller_writes_is_read() -> None:
    lost = read(AgentLost(at_s=3.5, agent="a", reason="gone"))
    assert (lost.event, lost.at_s, lost.agent, lost.reason) == ("agent-lost", 3.5, "a", "gone")
    received = read(UpdateReceived(at_s=4.0, record=run_folders.client_record(2, 7)))
    assert received.record is not None
    assert (received.record.round, received.record.client, received.record.agent) == (2, 7, "agent-1")
    aggregated = read(Aggregated(at_s=5.0, round=2, state_sha256="0" * 64, aggregate_s=0.25))
    assert (aggregated.event, aggregated.round, aggregated.aggregate_s) == ("aggregated", 2, 0.25)


def test_kinds_and_keys_of_a_newer_version_are_passed_over() -> None:
    found = msgspec.json.decode(b'{"event":"new-thing","at_s":1.0,"colour":{"a":1}}', type=Happened)
    assert (found.event, found.agent) == ("new-thing", "")


def test_events_of_a_folder_are_read_without_a_torn_last_line_and_a_damaged_one_is_named(tmp_path: Path) -> None:
    folder = run_folders.write(tmp_path / "run", run_folders.run())
    assert load_run(folder).events == ()
    line = msgspec.json.encode(AgentLost(at_s=3.5, agent="a", reason="gone"))
    (folder / "events.jsonl").write_bytes(line + b"\n" + line[:20])
    run = load_run(folder)
    assert [event.event for event in run.events] == ["agent-lost"]
    assert run.notes == ()
    (folder / "events.jsonl").write_bytes(line[:20] + b"\n" + line + b"\n")
    with pytest.raises(StoreError, match=r"events\.jsonl, line 1 is damaged"):
        load_run(folder)
