"""A finished update is kept, and offered at once where its task comes again: stories of the agent's machine."""

import pytest
from agent_facts import (
    AGAIN,
    LOST,
    PROVISION,
    STATE,
    TRAINED,
    UPDATE,
    WELCOME,
    WITH_INIT,
    arrived,
    kept_update,
    machine_that_is,
    moved,
    said,
)
from stub_controller import blob

from agents.lifecycle import AgentMachine
from agents.steps import (
    AnyFact,
    BaseCached,
    BlobLanded,
    ClearTask,
    FetchShaped,
    OfferUpdate,
    TaskTrained,
    TrainerReady,
    TransferFailed,
    UpdateAcknowledged,
)
from harness.protocol import messages as m


def test_a_task_that_an_earlier_agent_trained_is_offered_at_once() -> None:
    machine = machine_that_is("idle", kept=kept_update())
    orders = machine.handle(arrived(AGAIN, 100.0, wire_bytes=50))
    assert orders[-1] == OfferUpdate(m.Offer(ref=AGAIN.ref, blob=UPDATE), PROVISION)
    acknowledged = UpdateAcknowledged(at_s=102.5, transfer=moved(2.0, resumed_bytes=600), wire_bytes=450)
    record = said(machine.handle(acknowledged))[0].record
    assert (record.attempt, record.download_s, record.train_s, record.upload_s) == (2, 2.0, 4.0, 2.0)
    # 0.25 s before the restart, 0.5 s after it; 200 bytes before, 400 after.
    assert (record.other_s, record.wire_bytes, record.resumed_bytes) == (0.75, 600, 600)
    assert record.total_s == 2.0 + 0.5 + 4.0 + 0.25 + 2.0 + 0.75


def test_so_is_one_of_an_agent_that_the_controller_had_lost() -> None:
    machine = machine_that_is("sending")
    machine.handle(LOST)
    machine.handle(arrived(WELCOME))
    machine.handle(arrived(PROVISION))
    assert isinstance(machine.handle(arrived(AGAIN))[-1], OfferUpdate)


OTHER_TASKS = {
    "round": m.Task(ref=m.TaskRef(round=2, client=3, attempt=1), state=STATE, seed=4),
    "state": m.Task(ref=AGAIN.ref, state=blob("state", b"other"), seed=4),
    "seed": m.Task(ref=AGAIN.ref, state=STATE, seed=5),
}


@pytest.mark.parametrize("what", sorted(OTHER_TASKS))
def test_a_task_that_differs_is_trained_and_the_kept_update_removed(what: str) -> None:
    machine, task = machine_that_is("idle", kept=kept_update()), OTHER_TASKS[what]
    assert machine.handle(arrived(task)) == [ClearTask(), FetchShaped(task.state, PROVISION, task.ref)]


def test_a_task_of_another_run_is_trained() -> None:
    machine = machine_that_is("sending")
    machine.handle(LOST)
    machine.handle(arrived(m.Welcome(run_id="r2", beat_port=1, heartbeat_s=1.0, lost_after_s=8.0)))
    for fact in (arrived(PROVISION), BaseCached(at_s=50.0), TrainerReady(at_s=51.0)):
        machine.handle(fact)
    assert machine.handle(arrived(AGAIN))[0] == ClearTask()


def test_a_task_of_a_trainer_that_was_prepared_otherwise_is_trained() -> None:
    machine = machine_that_is("joining", kept=kept_update())
    machine.handle(arrived(WITH_INIT))
    for fact in (BaseCached(at_s=2.0), BlobLanded(at_s=3.0, transfer=moved(1.0)), TrainerReady(at_s=4.0)):
        machine.handle(fact)
    assert machine.handle(arrived(AGAIN))[0] == ClearTask()


def test_a_kept_update_that_cannot_be_sent_is_removed_and_the_next_try_trains() -> None:
    machine = machine_that_is("idle", kept=kept_update())
    machine.handle(arrived(AGAIN))
    assert ClearTask() in machine.handle(TransferFailed(at_s=101.0, reason="it arrived damaged twice"))
    third = m.Task(ref=m.TaskRef(round=1, client=3, attempt=3), state=STATE, seed=4)
    assert machine.handle(arrived(third)) == [FetchShaped(STATE, PROVISION, third.ref)]


def test_a_task_without_data_is_refused() -> None:
    machine: AgentMachine = machine_that_is("idle")
    stranger = m.Task(ref=m.TaskRef(round=1, client=9, attempt=1), state=STATE, seed=4)
    assert said(machine.handle(arrived(stranger)))[0].reason == "the agent was given no shard of client 9"


@pytest.mark.parametrize(
    "fact",
    [
        BlobLanded(at_s=60.0, transfer=moved(2.0)),
        TaskTrained(at_s=60.0, trained=TRAINED, wire_bytes=300),
        UpdateAcknowledged(at_s=60.0, transfer=moved(3.0), wire_bytes=900),
        TransferFailed(at_s=60.0, reason="damaged twice"),
    ],
)
def test_what_is_left_of_a_task_that_is_gone_changes_nothing(fact: AnyFact) -> None:
    machine = machine_that_is("idle")
    assert machine.handle(fact) == []
    assert machine.doing == "idle"
