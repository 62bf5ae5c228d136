"""What outlives a connection, and what is said again: stories of the agent's machine."""

import pytest
from agent_facts import (
    AGAIN,
    HELLO,
    LOST,
    PROVISION,
    REF,
    RESUMED,
    SHARD,
    TASK,
    TRAINED,
    UPDATE,
    WEIGHTS,
    WELCOME,
    WITH_INIT,
    arrived,
    machine_that_is,
    moved,
    said,
)

from agents.lifecycle import AgentMachine
from agents.steps import (
    BaseCached,
    Connected,
    DropTransfers,
    EndTrainer,
    FillCache,
    OfferUpdate,
    PrepareTrainer,
    Reconnect,
    ResumeTransfers,
    Send,
    StartHeart,
    TaskTrained,
    TrainerFailed,
    TrainerReady,
    UpdateAcknowledged,
)
from harness.protocol import messages as m

READY = m.Ready(provision_s=3.0, ship_s=0.0)
OTHER_RUN = m.Welcome(run_id="r2", beat_port=1, heartbeat_s=1.0, lost_after_s=8.0)
ACKNOWLEDGED = UpdateAcknowledged(at_s=50.0, transfer=moved(3.0), wire_bytes=900)


def hello_of(machine) -> m.Hello:
    [hello] = said(machine.handle(Connected(at_s=41.0)))
    return hello


def test_who_lost_the_first_welcome_goes_on_with_the_second() -> None:
    machine = AgentMachine(HELLO, once=False)
    machine.handle(Connected(at_s=0.0))
    machine.handle(LOST)
    machine.handle(Connected(at_s=1.0, connection=2))
    assert machine.handle(arrived(RESUMED)) == [StartHeart(RESUMED), ResumeTransfers()]


def test_a_hello_tells_which_connection_it_is_so_that_the_newest_is_known() -> None:
    machine = machine_that_is("idle")
    machine.handle(LOST)
    [hello] = said(machine.handle(Connected(at_s=41.0, connection=7)))
    assert hello.connection == 7


@pytest.mark.parametrize("doing", ["provisioning", "idle", "fetching", "training", "sending"])
def test_a_lost_connection_drops_nothing(doing: str) -> None:
    machine = machine_that_is(doing)
    assert machine.handle(LOST) == [Reconnect("silence")]
    hello = hello_of(machine)
    assert (hello.provisioned, hello.holds) == (True, None if doing in ("provisioning", "idle") else REF)
    orders = machine.handle(arrived(RESUMED))
    assert (orders[0], orders[-1]) == (StartHeart(RESUMED), ResumeTransfers())
    assert machine.doing == doing


def test_what_happens_while_nobody_hears_is_said_afterwards() -> None:
    machine = machine_that_is("training")
    machine.handle(LOST)
    orders = machine.handle(TaskTrained(at_s=45.0, trained=TRAINED, wire_bytes=300))
    assert said(orders) == []
    assert orders[-1] == OfferUpdate(m.Offer(ref=REF, blob=UPDATE), PROVISION)
    assert machine.handle(arrived(RESUMED))[-1] == ResumeTransfers()


def test_a_failure_in_that_time_is_said_afterwards() -> None:
    machine = machine_that_is("training")
    machine.handle(LOST)
    assert said(machine.handle(TrainerFailed(at_s=45.0, reason="no memory", died=True))) == []
    assert hello_of(machine).ended == REF
    assert said(machine.handle(arrived(RESUMED)))[-1] == m.Failed(ref=REF, reason="no memory")


def test_ready_is_said_again() -> None:
    machine = machine_that_is("idle")
    machine.handle(LOST)
    assert said(machine.handle(arrived(RESUMED))) == [READY]


def test_a_done_that_may_be_lost_is_said_again_until_the_next_task() -> None:
    machine = machine_that_is("sending")
    [done] = said(machine.handle(ACKNOWLEDGED))
    machine.handle(LOST)
    assert hello_of(machine).ended == REF
    assert said(machine.handle(arrived(RESUMED))) == [READY, done]
    assert said(machine.handle(arrived(TASK))) == [READY, done]
    machine.handle(arrived(AGAIN))
    machine.handle(LOST)
    assert said(machine.handle(arrived(RESUMED))) == [READY]


@pytest.mark.parametrize("doing", ["fetching", "training", "sending"])
def test_a_task_or_a_provision_that_comes_twice_changes_nothing(doing: str) -> None:
    machine = machine_that_is(doing)
    assert machine.handle(arrived(TASK)) == []
    assert machine.handle(arrived(PROVISION)) == [Send(READY)]
    assert machine.doing == doing


@pytest.mark.parametrize("welcome", [WELCOME, RESUMED])
def test_a_second_welcome_over_one_connection_changes_nothing(welcome: m.Welcome) -> None:
    machine = machine_that_is("training")
    assert machine.handle(arrived(welcome)) == []
    assert machine.doing == "training"


def test_breaks_are_counted_once_each() -> None:
    machine = machine_that_is("fetching")
    machine.handle(LOST)
    machine.handle(LOST)  # no answer yet
    machine.handle(arrived(RESUMED))
    machine.handle(arrived(m.Cancel(ref=REF)))
    machine = machine_that_is("sending")
    for _ in range(2):
        machine.handle(LOST)
        machine.handle(LOST)
        machine.handle(arrived(RESUMED))
    assert said(machine.handle(ACKNOWLEDGED))[0].record.breaks == 2


@pytest.mark.parametrize("doing", ["fetching", "sending"])
def test_who_is_not_known_any_more_drops_its_task_and_keeps_what_is_prepared(doing: str) -> None:
    machine = machine_that_is(doing)
    machine.handle(LOST)
    assert machine.handle(arrived(WELCOME)) == [DropTransfers(), StartHeart(WELCOME), ResumeTransfers()]
    assert machine.doing == "joining"
    assert machine.handle(arrived(PROVISION, 50.0)) == [Send(READY)]
    assert machine.doing == "idle"


def test_a_dropped_training_has_its_trainer_prepared_anew_and_nothing_fetched() -> None:
    machine = machine_that_is("training")
    machine.handle(LOST)
    assert EndTrainer() in machine.handle(arrived(WELCOME))
    assert machine.handle(arrived(PROVISION, 50.0)) == [PrepareTrainer(PROVISION)]
    assert machine.handle(TrainerReady(at_s=55.0)) == [Send(READY)]


def test_a_trainer_that_was_being_prepared_goes_on() -> None:
    machine = machine_that_is("provisioning")
    machine.handle(LOST)
    assert EndTrainer() not in machine.handle(arrived(WELCOME))
    assert machine.handle(arrived(PROVISION, 50.0)) == []
    assert machine.handle(TrainerReady(at_s=55.0)) == [Send(m.Ready(provision_s=54.0, ship_s=0.0))]


def test_a_trainer_that_got_ready_in_between_is_told_with_the_provision() -> None:
    machine = machine_that_is("provisioning")
    machine.handle(LOST)
    machine.handle(arrived(WELCOME))
    assert machine.handle(TrainerReady(at_s=45.0)) == []
    assert machine.handle(arrived(PROVISION, 50.0)) == [Send(m.Ready(provision_s=44.0, ship_s=0.0))]


def test_another_run_is_provisioned_and_timed_anew() -> None:
    machine = machine_that_is("idle")
    machine.handle(LOST)
    machine.handle(arrived(OTHER_RUN))
    assert machine.handle(arrived(PROVISION, 50.0))[-1] == FillCache((WEIGHTS, SHARD))
    machine.handle(BaseCached(at_s=51.0))
    assert machine.handle(TrainerReady(at_s=52.0)) == [Send(m.Ready(provision_s=2.0, ship_s=0.0))]


def test_after_the_run_the_session_is_void() -> None:
    machine = machine_that_is("fetching")
    machine.handle(arrived(m.Stop(reason="done")))
    hello = hello_of(machine)
    assert (hello.provisioned, hello.holds, hello.ended) == (False, None, None)


def test_an_agent_that_missed_the_beginning_of_another_run_asks_for_its_provision() -> None:
    machine = machine_that_is("fetching")
    machine.handle(LOST)
    resumed = m.Welcome(run_id="r2", beat_port=1, heartbeat_s=1.0, lost_after_s=8.0, resumed=True)
    assert machine.handle(arrived(resumed))[-1] == Reconnect("the controller has begun another run")
    hello = hello_of(machine)
    assert (hello.provisioned, hello.holds) == (False, None)
    assert machine.handle(arrived(resumed)) == [StartHeart(resumed), ResumeTransfers()]
    assert machine.handle(arrived(WITH_INIT))[-1] == FillCache((WEIGHTS, SHARD))
