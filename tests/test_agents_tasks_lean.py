"""A trainer that holds the state before is given less than a state, and no other is: stories of the agent's machine."""

from __future__ import annotations

import pytest
from agent_facts import (
    AGAIN,
    LEAN,
    LOST,
    NEXT_STATE,
    PROVISION,
    REF,
    RESUMED,
    STATE,
    TIP,
    TRAINED,
    WELCOME,
    WITH_INIT,
    arrived,
    machine_that_is,
    moved,
    said,
)
from msgspec.structs import replace

from agents.lifecycle import AgentMachine
from agents.steps import (
    BaseCached,
    BlobLanded,
    FetchShaped,
    KeepUpdate,
    PrepareTrainer,
    StartTraining,
    TaskTrained,
    TrainerFailed,
    TrainerReady,
    UpdateAcknowledged,
)
from harness.protocol import messages as m

DEATH = TrainerFailed(at_s=30.0, reason="killed", died=True)
LANDED = BlobLanded(at_s=22.0, transfer=moved(2.0))
DONE = UpdateAcknowledged(at_s=25.0, transfer=moved(1.0), wire_bytes=900)
LESS, ALL = FetchShaped(TIP, PROVISION, LEAN.ref), FetchShaped(NEXT_STATE, PROVISION, LEAN.ref)


def machine_that_trained() -> AgentMachine:
    """Idle, and its trainer was last given the state of TASK."""
    machine = machine_that_is("sending")
    machine.handle(DONE)
    assert machine.doing == "idle"
    return machine


def test_less_is_fetched_by_an_agent_whose_trainer_holds_the_state_before() -> None:
    machine = machine_that_trained()
    assert machine.handle(arrived(LEAN, 20.0)) == [LESS]
    assert isinstance(machine.handle(LANDED)[-1], StartTraining)
    [keep, *_] = machine.handle(TaskTrained(at_s=24.0, trained=TRAINED, wire_bytes=800))
    assert isinstance(keep, KeepUpdate)
    assert (keep.kept.download_bytes, keep.kept.key.state_sha256) == (TIP.size_bytes, NEXT_STATE.sha256)
    done = said(machine.handle(DONE))[-1]
    assert isinstance(done, m.Done)
    assert done.record.download_bytes == TIP.size_bytes


def test_by_less_it_was_given_the_whole_state_of_that_task() -> None:
    machine = machine_that_trained()
    for fact in (arrived(LEAN), LANDED, TaskTrained(at_s=24.0, trained=TRAINED, wire_bytes=800), DONE):
        machine.handle(fact)
    third = replace(LEAN, ref=replace(REF, round=3), lean=replace(LEAN.lean, since=NEXT_STATE.sha256))
    assert machine.handle(arrived(third)) == [FetchShaped(TIP, PROVISION, third.ref)]


def test_so_is_another_client_of_the_same_round() -> None:
    machine = machine_that_trained()
    for fact in (arrived(LEAN), LANDED, TaskTrained(at_s=24.0, trained=TRAINED, wire_bytes=800), DONE):
        machine.handle(fact)
    again = replace(LEAN, ref=replace(LEAN.ref, attempt=2))
    assert machine.handle(arrived(again)) == [FetchShaped(TIP, PROVISION, again.ref)]


def test_the_whole_state_is_fetched_by_an_agent_that_has_not_trained() -> None:
    assert machine_that_is("idle").handle(arrived(LEAN)) == [ALL]


def test_so_it_is_by_one_that_holds_another_state() -> None:
    other = replace(LEAN, lean=replace(LEAN.lean, since="0" * 64))
    assert machine_that_trained().handle(arrived(other)) == [ALL]


def test_a_trainer_that_was_replaced_between_tasks_holds_nothing() -> None:
    machine = machine_that_trained()
    assert machine.handle(DEATH) == [PrepareTrainer(PROVISION)]
    assert machine.handle(arrived(LEAN)) == [ALL]


def test_a_trainer_that_was_replaced_while_less_was_fetched_is_given_the_whole_state() -> None:
    machine = machine_that_trained()
    assert machine.handle(arrived(LEAN, 20.0)) == [LESS]
    machine.handle(DEATH)
    assert machine.handle(LANDED) == [ALL]
    assert machine.handle(TrainerReady(at_s=31.0)) == []
    assert isinstance(machine.handle(LANDED)[-1], StartTraining)
    machine.handle(TaskTrained(at_s=34.0, trained=TRAINED, wire_bytes=800))
    assert said(machine.handle(DONE))[-1].record.download_bytes == NEXT_STATE.size_bytes


def test_a_trainer_that_was_replaced_before_less_had_landed_waits_for_the_whole_state() -> None:
    machine = machine_that_trained()
    machine.handle(arrived(LEAN, 20.0))
    machine.handle(DEATH)
    assert machine.handle(TrainerReady(at_s=31.0)) == []
    assert machine.handle(LANDED) == [ALL]


@pytest.mark.parametrize("word", [m.Cancel(ref=REF), DEATH])
def test_a_training_that_came_to_nothing_leaves_nothing(word: object) -> None:
    machine = machine_that_is("training")
    machine.handle(arrived(word) if isinstance(word, m.Cancel) else word)
    machine.handle(TrainerReady(at_s=31.0))
    assert machine.handle(arrived(LEAN)) == [ALL]


def test_a_task_that_was_cancelled_while_it_was_fetched_changes_nothing_in_the_trainer() -> None:
    machine = machine_that_trained()
    machine.handle(arrived(LEAN))
    machine.handle(arrived(m.Cancel(ref=LEAN.ref)))
    again = replace(LEAN, ref=replace(LEAN.ref, attempt=2))
    assert machine.handle(arrived(again)) == [replace_task(LESS, again.ref)]


def test_a_connection_that_broke_costs_the_trainer_nothing() -> None:
    machine = machine_that_trained()
    machine.handle(LOST)
    machine.handle(arrived(RESUMED))
    assert machine.handle(arrived(LEAN)) == [LESS]


def test_what_was_prepared_anew_holds_nothing() -> None:
    machine = machine_that_trained()
    machine.handle(LOST)
    machine.handle(arrived(WELCOME))
    for fact in (arrived(WITH_INIT), BaseCached(at_s=41.0), LANDED, TrainerReady(at_s=43.0)):
        machine.handle(fact)
    assert machine.handle(arrived(LEAN)) == [FetchShaped(NEXT_STATE, WITH_INIT, LEAN.ref)]


def test_an_update_that_is_offered_again_tells_of_what_was_fetched_for_it() -> None:
    machine = machine_that_trained()
    for fact in (arrived(LEAN), LANDED, TaskTrained(at_s=24.0, trained=TRAINED, wire_bytes=800)):
        machine.handle(fact)
    machine.handle(LOST)
    machine.handle(arrived(WELCOME))
    machine.handle(arrived(PROVISION))
    machine.handle(arrived(replace(LEAN, ref=replace(LEAN.ref, attempt=2), lean=None)))
    assert said(machine.handle(DONE))[-1].record.download_bytes == TIP.size_bytes


def test_a_task_that_offers_nothing_less_is_fetched_whole() -> None:
    machine = machine_that_trained()
    assert machine.handle(arrived(AGAIN)) == [FetchShaped(STATE, PROVISION, AGAIN.ref)]


def replace_task(fetch: FetchShaped, ref: m.TaskRef) -> FetchShaped:
    return FetchShaped(fetch.blob, fetch.provision, ref)
