"""The agent's machine alone: facts in, orders out. What outlives a connection is test_agents_session's."""

import pytest
from agent_facts import (
    EQUIPPED,
    HELLO,
    INIT,
    KERNEL,
    PROVISION,
    REF,
    SHARD,
    STATE,
    TASK,
    TRAINED,
    UPDATE,
    WEIGHTS,
    WELCOME,
    WITH_INIT,
    arrived,
    kept_update,
    machine_that_is,
    moved,
)

from agents.lifecycle import AgentMachine
from agents.offset import Exchange
from agents.steps import (
    BaseCached,
    BlobLanded,
    ClearTask,
    ClocksCompared,
    Connected,
    ConnectionLost,
    DropTransfers,
    End,
    EndTrainer,
    Equip,
    FetchShaped,
    FillCache,
    KeepUpdate,
    LinkRefused,
    OfferUpdate,
    PrepareTrainer,
    Reconnect,
    ResumeTransfers,
    Send,
    StartHeart,
    StartTraining,
    TaskTrained,
    TrainerFailed,
    TrainerReady,
    TransferFailed,
    Unequip,
    UpdateAcknowledged,
)
from harness.protocol import messages as m
from harness.vitals import Vitals


def test_an_agent_introduces_itself_and_starts_its_heart() -> None:
    machine = AgentMachine(HELLO, once=False)
    assert machine.handle(Connected(at_s=0.0)) == [Send(HELLO)]
    assert machine.handle(arrived(WELCOME)) == [DropTransfers(), StartHeart(WELCOME), ResumeTransfers()]


def test_provisioning_fills_the_cache_then_prepares_then_is_ready() -> None:
    machine = machine_that_is("joining")
    assert machine.handle(arrived(PROVISION, 1.0)) == [DropTransfers(), FillCache((WEIGHTS, SHARD))]
    assert machine.handle(BaseCached(at_s=2.0)) == [PrepareTrainer(PROVISION)]
    assert machine.handle(TrainerReady(at_s=4.0)) == [Send(m.Ready(provision_s=3.0, ship_s=0.0))]


def test_the_initial_state_comes_over_the_link_and_is_counted_apart() -> None:
    machine = machine_that_is("joining")
    machine.handle(arrived(WITH_INIT, 1.0))
    assert machine.handle(BaseCached(at_s=2.0)) == [FetchShaped(INIT, WITH_INIT, None)]
    assert machine.handle(BlobLanded(at_s=3.5, transfer=moved(1.5))) == [PrepareTrainer(WITH_INIT)]
    assert machine.handle(TrainerReady(at_s=5.0)) == [Send(m.Ready(provision_s=2.5, ship_s=1.5))]


def test_a_device_is_equipped_where_its_provision_wants_more_than_rounds() -> None:
    machine = machine_that_is("joining")
    assert machine.handle(arrived(EQUIPPED))[1:] == [Equip(EQUIPPED), FillCache((WEIGHTS, SHARD))]
    machine.handle(arrived(m.Stop(reason="done")))
    assert Equip not in [type(order) for order in machine_that_is("joining").handle(arrived(PROVISION))]


def test_what_was_equipped_is_given_back_with_the_run_and_for_another_one() -> None:
    machine = machine_that_is("joining")
    machine.handle(arrived(EQUIPPED))
    assert Unequip() in machine.handle(arrived(m.Stop(reason="done")))
    machine.handle(arrived(WELCOME))
    machine.handle(arrived(EQUIPPED))
    machine.handle(arrived(m.Stop(reason="done")))
    assert Unequip() not in machine.handle(arrived(WELCOME))


def test_a_provision_that_wants_less_gives_back_what_an_earlier_one_had() -> None:
    machine = machine_that_is("joining")
    machine.handle(arrived(EQUIPPED))
    assert Unequip() in machine.handle(arrived(PROVISION))


def test_a_controller_that_comes_again_may_be_elsewhere() -> None:
    machine = machine_that_is("joining")
    machine.handle(arrived(KERNEL))
    machine.handle(BaseCached(at_s=2.0))
    machine.handle(TrainerReady(at_s=3.0))
    machine.handle(ConnectionLost(at_s=4.0, reason="silence"))
    machine.handle(arrived(WELCOME))
    assert Equip(KERNEL) in machine.handle(arrived(KERNEL))


def test_a_link_that_the_kernel_cannot_keep_ends_the_agent_with_a_goodbye() -> None:
    machine = machine_that_is("joining")
    machine.handle(arrived(KERNEL))
    orders = machine.handle(LinkRefused(at_s=1.0, reason="no helper; set link.shaping: user"))
    reason = "no helper; set link.shaping: user"
    assert orders == [Send(m.Goodbye(agent="a1", reason=reason)), End(1, reason)]


def test_what_heartbeats_and_sensors_tell_is_in_the_record() -> None:
    machine = machine_that_is("training")
    machine.handle(ClocksCompared(at_s=13.0, exchange=Exchange(at_s=13.0, offset_s=5.0, rtt_s=0.5)))
    machine.handle(TaskTrained(at_s=17.0, trained=TRAINED, wire_bytes=300))
    vitals = Vitals(source="nvml", samples=3, coverage=1.0, energy_j=7.5)
    orders = machine.handle(UpdateAcknowledged(at_s=20.5, transfer=moved(3.0), wire_bytes=900, vitals=vitals))
    record = orders[0].message.record
    assert record.energy_j == 7.5
    assert (record.timeline.download.offset_s, record.timeline.upload.uncertainty_s) == (5.0, 0.25)


def test_a_task_is_fetched_trained_kept_offered_and_done() -> None:
    machine = machine_that_is("idle")
    assert machine.handle(arrived(TASK, 10.0, wire_bytes=100)) == [FetchShaped(STATE, PROVISION, REF)]
    assert machine.handle(BlobLanded(at_s=12.0, transfer=moved(2.0))) == [StartTraining(TASK, SHARD)]
    keep, report, offer = machine.handle(TaskTrained(at_s=17.0, trained=TRAINED, wire_bytes=300))
    assert keep == KeepUpdate(kept_update())
    assert (report.message.record.upload_s, report.message.record.upload_bytes) == (0.0, 0)
    assert offer == OfferUpdate(m.Offer(ref=REF, blob=UPDATE), PROVISION)
    done, clear = machine.handle(UpdateAcknowledged(at_s=20.5, transfer=moved(3.0), wire_bytes=900))
    record = done.message.record
    assert clear == ClearTask()
    assert (record.download_s, record.train_s, record.upload_s) == (2.0, 4.0, 3.0)
    assert (record.other_s, record.total_s, record.wire_bytes) == (0.75, 10.5, 800)
    assert machine.doing == "idle"


def test_a_busy_agent_refuses_a_second_task() -> None:
    other = m.Task(ref=m.TaskRef(round=1, client=3, attempt=2), state=STATE, seed=4)
    [refusal] = machine_that_is("training").handle(arrived(other))
    assert refusal == Send(m.Failed(ref=other.ref, reason="the agent was training when the task came"))


@pytest.mark.parametrize("doing", ["fetching", "sending"])
def test_a_cancel_beside_training_keeps_the_trainer(doing: str) -> None:
    machine = machine_that_is(doing)
    assert machine.handle(arrived(m.Cancel(ref=REF))) == [DropTransfers(), ClearTask()]
    assert machine.doing == "idle"


def test_a_cancelled_training_replaces_the_trainer_and_the_next_task_waits_for_it() -> None:
    machine = machine_that_is("training")
    orders = machine.handle(arrived(m.Cancel(ref=REF)))
    assert orders == [DropTransfers(), EndTrainer(), ClearTask(), PrepareTrainer(PROVISION)]
    machine.handle(arrived(TASK, 30.0))
    assert machine.handle(BlobLanded(at_s=31.0, transfer=moved(1.0))) == []
    assert machine.handle(TrainerReady(at_s=33.0)) == [StartTraining(TASK, SHARD)]


def test_a_cancel_while_the_trainer_is_prepared_lets_it_be() -> None:
    machine = machine_that_is("training")
    machine.handle(arrived(m.Cancel(ref=REF)))
    machine.handle(arrived(TASK, 30.0))
    assert EndTrainer() not in machine.handle(arrived(m.Cancel(ref=REF)))


def test_a_late_cancel_changes_nothing() -> None:
    assert machine_that_is("idle").handle(arrived(m.Cancel(ref=REF))) == []


def test_a_failed_training_is_told_and_the_trainer_prepared_again() -> None:
    machine = machine_that_is("training")
    orders = machine.handle(TrainerFailed(at_s=13.0, reason="no memory", died=True))
    failed = m.Failed(ref=REF, reason="no memory")
    assert orders == [DropTransfers(), ClearTask(), Send(failed), PrepareTrainer(PROVISION)]
    assert machine.doing == "idle"


def test_a_reason_that_is_too_long_is_clipped() -> None:
    orders = machine_that_is("training").handle(TrainerFailed(at_s=13.0, reason="x" * 9000, died=False))
    assert len(orders[2].message.reason) == 4000
    orders = machine_that_is("provisioning").handle(TransferFailed(at_s=3.0, reason="x" * 9000))
    assert len(orders[0].message.reason) == 4000


def test_a_trainer_that_cannot_be_built_ends_the_agent_with_a_goodbye() -> None:
    orders = machine_that_is("provisioning").handle(TrainerFailed(at_s=3.0, reason="no weights", died=False))
    reason = "the trainer could not be prepared: no weights"
    assert orders == [Send(m.Goodbye(agent="a1", reason=reason)), End(1, reason)]


@pytest.mark.parametrize("doing", ["fetching", "sending"])
def test_a_transfer_that_fails_fails_the_task(doing: str) -> None:
    machine = machine_that_is(doing)
    orders = machine.handle(TransferFailed(at_s=13.0, reason="damaged twice"))
    assert orders == [DropTransfers(), ClearTask(), Send(m.Failed(ref=REF, reason="damaged twice"))]


def test_a_new_provision_keeps_a_trainer_that_is_up() -> None:
    machine = machine_that_is("idle")
    assert machine.handle(arrived(WITH_INIT)) == [DropTransfers(), FillCache((WEIGHTS, SHARD))]


def test_a_new_provision_ends_a_training() -> None:
    assert EndTrainer() in machine_that_is("training").handle(arrived(WITH_INIT))


def test_the_end_of_the_run_is_the_end_of_an_agent_started_for_it() -> None:
    assert machine_that_is("idle", once=True).handle(arrived(m.Stop(reason="done"))) == [End(0, "done")]
    assert machine_that_is("idle").handle(arrived(m.Stop(reason="done")))[-1] == Reconnect("done", over=True)


def test_a_refused_agent_ends() -> None:
    [end] = machine_that_is("joining").handle(arrived(m.Refused(reason="too old")))
    assert end == End(1, "the controller refused this agent: too old")
