"""Preparing, as the agent's machine does it."""

from agent_facts import LOST, PROVISION, WELCOME, WITH_INIT, arrived, machine_that_is, moved

from agents.preparation import MAX_DEATHS
from agents.steps import BaseCached, BlobLanded, End, FetchShaped, PrepareTrainer, TrainerFailed, TrainerReady

DEATH = TrainerFailed(at_s=3.0, reason="killed", died=True)


def test_a_trainer_that_dies_while_it_prepares_is_tried_again_a_few_times() -> None:
    machine = machine_that_is("provisioning")
    for _ in range(MAX_DEATHS - 1):
        assert machine.handle(DEATH) == [PrepareTrainer(PROVISION)]
    assert machine.handle(DEATH)[-1] == End(1, "the trainer could not be prepared: killed")


def test_one_that_got_ready_in_between_may_die_as_often_again() -> None:
    machine = machine_that_is("provisioning")
    for _ in range(MAX_DEATHS):
        assert machine.handle(DEATH) == [PrepareTrainer(PROVISION)]
        machine.handle(TrainerReady(at_s=4.0))
        assert machine.handle(DEATH) == [PrepareTrainer(PROVISION)]
        machine.handle(TrainerReady(at_s=5.0))


def test_a_trainer_that_was_kept_and_dies_while_files_are_fetched_waits_for_them() -> None:
    machine = machine_that_is("idle")
    machine.handle(LOST)
    machine.handle(arrived(WELCOME))
    machine.handle(arrived(WITH_INIT))
    assert machine.handle(DEATH) == []
    [fetch] = machine.handle(BaseCached(at_s=50.0))
    assert isinstance(fetch, FetchShaped)
    assert machine.handle(BlobLanded(at_s=52.0, transfer=moved(2.0))) == [PrepareTrainer(WITH_INIT)]


def test_what_providing_took_is_measured_once() -> None:
    machine = machine_that_is("idle")
    machine.handle(DEATH)
    machine.handle(TrainerReady(at_s=90.0))
    [ready] = machine.handle(arrived(PROVISION))
    assert ready.message.provision_s == 3.0
